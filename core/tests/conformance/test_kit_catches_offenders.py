"""The kit itself: each deliberately broken part fails the tests of the law it breaks, and no other."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from lerobot_core.conformance.bus import BusConformance
from lerobot_core.conformance.robot import RobotConformance
from lerobot_core.errors import BusError

OFFENDERS = Path(__file__).with_name("offenders.py")


class Verdicts:
    """A pytest plugin that notes what each class was expected to break, and what it broke.

    Attributes:
        expected: class name -> names of tests, from its `breaks`.
        found: class name -> names of the tests that failed.
    """

    def __init__(self) -> None:
        self.expected: dict[str, set[str]] = {}
        self.found: dict[str, set[str]] = defaultdict(set)
        self.messages: dict[str, str] = {}

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        assert isinstance(item, pytest.Function)
        assert item.cls is not None
        self.expected[item.cls.__name__] = set(item.cls.breaks)
        self.found.setdefault(item.cls.__name__, set())

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            _, offender, test = report.nodeid.split("::")
            self.found[offender].add(test)
            self.messages[f"{offender}.{test}"] = str(report.longrepr)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    """One run over all offenders, with settings of its own; the subprocess test has its own offender below."""
    folder = tmp_path_factory.mktemp("offenders")
    settings = folder / "pytest.ini"
    settings.write_text("[pytest]\npython_files = offenders.py\naddopts = --import-mode=importlib\n")
    seen = Verdicts()
    options = ["-q", "-c", str(settings), "-p", "no:cacheprovider", "--basetemp", str(folder / "base")]
    options += ["-k", "not module_is_light", "--no-header", "--no-summary"]
    pytest.main([*options, str(OFFENDERS)], plugins=[seen])
    return seen


def test_every_offender_breaks_its_law_and_no_other(verdicts: Verdicts) -> None:
    assert len(verdicts.expected) > 50
    assert dict(verdicts.found) == verdicts.expected


def test_every_failure_is_a_sentence_of_law(verdicts: Verdicts) -> None:
    law = (" must ", "refuse", "NotImplementedError")
    lawless = {name: text[-900:] for name, text in verdicts.messages.items() if not any(word in text for word in law)}
    assert not lawless


class Absent(RobotConformance):
    """A robot that is not plugged in."""

    name = "fake"

    def options(self) -> dict[str, Any]:
        return {"fault": "bus_gone", "fault_after": 0}


class Perhaps(Absent):
    lenient = True


def test_what_is_not_there_fails_unless_the_kit_is_lenient() -> None:
    with pytest.raises(BusError):
        Absent().test_disconnecting_disengages()
    with pytest.raises(pytest.skip.Exception, match="cannot be opened here: the fake robot's bus is gone"):
        Perhaps().test_disconnecting_disengages()


class Heavy(BusConformance):
    """A plugin whose module imports numpy."""

    name = "heavy"


@pytest.fixture
def heavy_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed distribution, for the process that the kit starts."""
    metadata = tmp_path / "lerobot_bus_heavy-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: lerobot-bus-heavy\nVersion: 1.0\nRequires-Dist: lerobot-core\n"
    )
    (metadata / "entry_points.txt").write_text("[lerobot.bus]\nheavy = heavy_bus.plugin\n")
    package = tmp_path / "heavy_bus"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "plugin.py").write_text(
        "import numpy\nfrom lerobot_core.hookspecs import hookimpl\nfrom lerobot_core.specs import BusSpec\n"
        "from lerobot_core.fakes.config import FakeBusConfig\n\n@hookimpl\ndef lerobot_buses():\n"
        "    return BusSpec(name='heavy', summary='heavy', config=FakeBusConfig, build=print)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


@pytest.mark.usefixtures("heavy_plugin")
def test_a_heavy_plugin_module_is_caught() -> None:
    with pytest.raises(AssertionError, match=r"must import nothing heavy.*numpy"):
        Heavy().test_its_plugin_module_is_light()
