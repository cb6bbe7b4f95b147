"""Hooks of everything named: asked together or one by one, wrapped, traced."""

from __future__ import annotations

import logging

from lerobot_core.registry import Registry

ACME = """
@hookimpl
def lerobot_robots():
    return robot("acme")

@hookimpl
def doctor():
    1/0
"""


def test_asking_everybody_keeps_the_others_answers(install, registry, caplog):
    code = "@hookimpl\ndef lerobot_robots(): return robot('NAME')\n@hookimpl\ndef doctor(): return BODY"
    for name, body in (("one", "['dusty']"), ("two", "1/0"), ("three", "__import__('sys').exit(1)"), ("four", "[]")):
        source = code.replace("NAME", name).replace("BODY", body)
        install(f"lerobot-robot-{name}", {"robot": {name: f"{name}_pkg.plugin"}}, source)
    for name in ("one", "two", "three", "four"):
        registry.spec("robot", name)
    with caplog.at_level(logging.WARNING):
        answers = registry.call_each("doctor")
    assert [(entry.name, answer) for entry, answer in answers] == [("one", ["dusty"]), ("four", [])]
    assert "lerobot-robot-two 0.1.0: its hook doctor raised ZeroDivisionError" in caplog.messages[0]
    assert "lerobot-robot-three 0.1.0: its hook doctor raised SystemExit" in caplog.messages[1]


def test_building_can_be_wrapped(install, registry):
    code = """
make = build

@hookimpl
def lerobot_robots():
    return RobotSpec(name="acme", summary="", config=Config, build=make)

@hookimpl(wrapper=True)
def build(kind):
    return kind, (yield)
"""
    install("lerobot-robot-acme", {"robot": {"acme": "acme.plugin"}}, code)
    spec = registry.spec("robot", "acme")
    built = registry.hook.build(kind="robot", spec=spec, config=spec.config(port="p"), parts=None)
    assert built == ("robot", ("built", "p"))


def test_the_trace_switch_prints_every_call(install, site, capsys):
    install("lerobot-robot-acme", {"robot": {"acme": "acme.plugin"}}, ACME)
    registry = Registry([str(site)], {"LEROBOT_TRACE": "1"})
    registry.resolve("robot", "acme")
    registry.call_each("doctor")
    out, err = capsys.readouterr()
    assert out == ""
    assert "trace: resolve(kind='robot', ref='acme') <- nobody" in err
    assert "trace: lerobot_robots -> [RobotSpec(name='acme'" in err
    assert "trace: doctor() <- acme.plugin" in err
    assert "trace: doctor raised ZeroDivisionError" in err
