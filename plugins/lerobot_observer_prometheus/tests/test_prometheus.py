"""Figures over a real socket, read by Prometheus's own parser."""

from __future__ import annotations

import logging
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("prometheus_client")

from lerobot_core.config.bases import Chosen
from lerobot_core.config.run import RunConfig
from lerobot_core.conformance.observer import INFO, JOINTS, SEEN, ObserverConformance
from lerobot_core.conformance.samples import step
from lerobot_core.errors import UserError
from lerobot_core.registry import Registry
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session
from lerobot_core.virtual_clock import VirtualClock
from lerobot_observer_prometheus.config import PrometheusConfig
from lerobot_observer_prometheus.observer import PrometheusObserver
from prometheus_client.parser import text_string_to_metric_families

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class TestPrometheus(ObserverConformance):
    name = "prometheus"

    def options(self) -> dict[str, Any]:
        return {"port": 0}


def scrape(port: int, scheme: str = "http", context: ssl.SSLContext | None = None) -> Samples:
    """Every sample of a scrape, by name and labels."""
    address = f"{scheme}://localhost:{port}/metrics" if scheme == "https" else f"http://127.0.0.1:{port}/metrics"
    with urllib.request.urlopen(address, timeout=10, context=context) as answer:
        text = answer.read().decode()
    families = text_string_to_metric_families(text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


@pytest.fixture
def observer() -> Iterator[PrometheusObserver]:
    subject = PrometheusObserver(PrometheusConfig(port=0), logging.getLogger("test"))
    subject.start({**INFO, "verb": "rollout"})
    yield subject
    subject.stop()


def test_a_run_is_scraped(observer: PrometheusObserver) -> None:
    for index in (0, 1, 5):
        row = step(SEEN, JOINTS, index)
        row.observation.flags.add("stale:front")
        observer.step(row)
    found = scrape(observer.port)
    assert found["lerobot_row", frozenset()] == 5
    assert found["lerobot_fps", frozenset()] == 30
    assert found["lerobot_rows_seen_total", frozenset({("source", "policy")})] == 3
    assert found["lerobot_flagged_rows_total", frozenset({("flag", "stale:front")})] == 3
    for key in JOINTS:
        labels = frozenset({("key", key)})
        assert found["lerobot_sent", labels] == pytest.approx(row.sent[key])
        assert found["lerobot_observed", labels] == pytest.approx(row.observation[key])
    (info,) = (dict(labels) for name, labels in found if name == "lerobot_run_info")
    assert (info["robot"], info["task"]) == ("fake", "a task")
    assert not [labels for name, labels in found if ("key", "front") in labels], "pictures are no figures"


def test_figures_of_one_run_do_not_leak_into_the_next(observer: PrometheusObserver) -> None:
    observer.step(step(SEEN, JOINTS, 7))
    observer.start(dict(INFO))
    assert ("lerobot_rows_seen_total", frozenset({("source", "policy")})) not in scrape(observer.port)


def test_after_stop_nobody_listens(observer: PrometheusObserver) -> None:
    port = observer.port
    observer.stop()
    with pytest.raises(urllib.error.URLError):
        scrape(port)


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        subject = PrometheusObserver(PrometheusConfig(port=port), logging.getLogger("test"))
        with pytest.raises(UserError, match=f"cannot listen at 127.0.0.1:{port}"):
            subject.start(dict(INFO))


def session(**options: Any) -> Session:
    registry = Registry()

    def chosen(kind: str, name: str, instance: str = "", **more: Any) -> Chosen:
        spec = registry.spec(kind, name)
        return Chosen(kind, name, spec, spec.config(**more), instance)

    config = RunConfig(
        robot=chosen("robot", "fake"),
        policy=chosen("policy", "fake"),
        inference=chosen("inference", "sync"),
        strategy=chosen("strategy", "base"),
        observer={"figures": chosen("observer", "prometheus", "figures", **options)},
        duration=1.0,
    )
    return Session(Plan("rollout", config, {}, registry), VirtualClock())


def test_a_run_goes_on_without_it(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = session(port=taken.getsockname()[1])
        assert done.run()["outcome"] == "done"
    assert "observer 'figures' was detached" in caplog.text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"host": "0.0.0.0"}, "without TLS"),
        ({"certfile": Path("a.pem")}, "belong together"),
        ({"certfile": Path("a.pem"), "keyfile": Path("b.pem")}, "no file a.pem"),
    ],
)
def test_what_would_be_open_to_others_is_refused_before_anything_moves(options: dict[str, Any], words: str) -> None:
    done = session(**options)
    done.run()
    assert words in str(done.ending.error)
    assert done.loop is None


def test_off_this_machine_it_speaks_tls(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
        + ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("openssl is not here to make a certificate")
    config = PrometheusConfig(host="0.0.0.0", port=0, certfile=cert, keyfile=key)
    subject = PrometheusObserver(config, logging.getLogger("test"))
    subject.start(dict(INFO))
    try:
        found = scrape(subject.port, "https", ssl.create_default_context(cafile=str(cert)))
        assert ("lerobot_row", frozenset()) in found
    finally:
        subject.stop()
