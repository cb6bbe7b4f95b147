"""Certificates and access rules on loopback: who is refused, who is denied in silence, and that we say which key."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zenoh
from lerobot_core.errors import ConfigError, UsageError
from lerobot_inference_remote.transport import Security, open_session, settings
from lerobot_inference_remote.trouble import Trouble
from lerobot_inference_remote.wire.keys import RobotKeys
from lerobot_server import certificates
from lerobot_server.fake_robot import Robot
from lerobot_server.fakes import StubPolicy, free_port, serving


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates for left and right."""
    made = tmp_path_factory.mktemp("tls")
    certificates.make(made, ["left", "right arm"])
    return made


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another authority's."""
    made = tmp_path_factory.mktemp("strangers")
    certificates.make(made, ["left"])
    return made


@pytest.fixture
def server(folder: Path, port: int) -> Iterator[tuple[int, StubPolicy, Any]]:
    policy = StubPolicy()
    with serving(policy, port, listen=f"tls/localhost:{port}", tls=folder) as found:
        yield port, policy, found


def robot(port: int, folder: Path, certificate: str = "left", name: str = "left", **options: Any) -> Robot:
    policy = StubPolicy()
    files = {"tls_ca": folder / "ca.pem"}
    if certificate:
        files |= {
            f"tls_{part}": folder / "robots" / f"{certificate}.{end}" for part, end in (("cert", "pem"), ("key", "key"))
        }
    where = {"connect": f"tls/localhost:{port}", "connect_timeout_s": 1.0}
    return Robot(policy.needs, policy.gives, name, **{**where, **files, **options})


def test_a_robot_with_its_certificate_is_served(folder: Path, server: Any) -> None:
    port, _, _ = server
    with robot(port, folder) as left, robot(port, folder, "right%20arm", "right arm") as right:
        left.first()
        right.first()


def test_a_robot_without_a_certificate_is_refused(folder: Path, server: Any) -> None:
    left = robot(server[0], folder, certificate="")
    with pytest.raises(Trouble, match="nobody answers"):
        left.start()
    left.engine.stop()


def test_a_certificate_of_another_authority_is_refused(folder: Path, strangers: Path, server: Any) -> None:
    left = robot(server[0], strangers)
    with pytest.raises(Trouble, match="nobody answers"):
        left.start()
    left.engine.stop()
    mixed = robot(server[0], strangers, tls_ca=folder / "ca.pem")
    with pytest.raises(Trouble):
        mixed.start()
    mixed.engine.stop()


def test_plain_tcp_to_the_port_is_refused(folder: Path, server: Any) -> None:
    left = robot(server[0], folder, connect=f"tcp/localhost:{server[0]}")
    with pytest.raises(Trouble):
        left.start()
    left.engine.stop()


def test_a_robot_cannot_be_another(folder: Path, server: Any) -> None:
    """Its certificate says left; as right it is denied in silence, and the error says where to look."""
    thief = robot(server[0], folder, "left", "right arm", connect_timeout_s=0.5)
    with pytest.raises(Trouble, match=r"was not answered|nothing comes through") as refused:
        thief.start()
    assert "right%20arm" in str(refused.value)
    assert "access rules" in str(refused.value)
    assert not server[2].service.sessions
    thief.engine.stop()


def test_a_robot_publishing_and_listening_on_anothers_topics_is_not_heard_and_hears_nothing(
    folder: Path, server: Any
) -> None:
    port, policy, found = server
    files = [folder / "ca.pem", folder / "robots" / "left.pem", folder / "robots" / "left.key"]
    found_settings = settings("client", connect=[f"tls/localhost:{port}"], security=Security(*files))
    thief, ear = open_session(found_settings), open_session(found_settings)  # one's own puts reach one's own ears
    heard: list[Any] = []
    keys = RobotKeys("stub", "right%20arm")
    try:
        for key in (keys.actions, "@lerobot/*/*/action", f"{keys.base}/**", keys.observations):
            ear.declare_subscriber(key, zenoh.handlers.Callback(heard.append, indirect=False))
        with robot(port, folder, "right%20arm", "right arm") as right:
            right.first()
            (session,) = found.service.sessions
            malformed, answered = session.malformed, session.answered
            for _ in range(20):
                thief.put(keys.observations, b"junk", attachment=bytes(32))
                thief.put(keys.actions, b"junk", attachment=bytes(32))
            right.run(0.5)
            assert session.malformed == malformed
            assert session.answered >= answered
            assert right.engine.stats()["remote"]["dropped_messages"] == 0
            assert policy.calls > 0
    finally:
        thief.close()  # type: ignore[no-untyped-call]
        ear.close()  # type: ignore[no-untyped-call]
    assert not heard


def test_access_rules_through_a_router(folder: Path, tmp_path: Path) -> None:
    from processes import router

    port = free_port()
    where = f"tls/localhost:{port}"
    policy = StubPolicy()
    with (
        router(tmp_path / "log", port, "--listen", where, "--tls", str(folder)),
        serving(policy, 0, connect=where, tls=folder),
    ):
        with robot(port, folder, connect_timeout_s=20.0) as left:
            left.first()
        thief = robot(port, folder, "left", "right arm", connect_timeout_s=0.5)
        with pytest.raises(Trouble):
            thief.start()
        thief.engine.stop()


def test_a_denied_direction_is_named(folder: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules without `put` on the robot's observations: everything else works, and it would look like loss."""
    from lerobot_server import access

    original = access._of_robot
    monkeypatch.setattr(
        access, "_of_robot", lambda name: [rule for rule in original(name) if not rule["id"].startswith("put-in")]
    )
    with serving(StubPolicy(), port, listen=f"tls/localhost:{port}", tls=folder):
        left = robot(port, folder, connect_timeout_s=0.5)
        with pytest.raises(Trouble, match=r"nothing comes through on @lerobot/stub/left/obs"):
            left.start()
        left.engine.stop()


def test_leaving_this_machine_needs_tls(folder: Path) -> None:
    with pytest.raises(ConfigError, match="without TLS"), serving(StubPolicy(), 0, listen="tcp/0.0.0.0:7447"):
        pass
    port = free_port()
    with serving(StubPolicy(), 0, listen=f"tcp/0.0.0.0:{port}", insecure=True):
        pass


# --- making them ------------------------------------------------------------------------------------------------------


def test_keys_are_for_their_owner_alone(folder: Path) -> None:
    for path in folder.rglob("*.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_robots_can_be_added_later(tmp_path: Path) -> None:
    certificates.make(tmp_path, ["one"], ["gpu.lab", "192.0.2.7"])
    before = (tmp_path / "robots" / "one.pem").read_bytes()
    authority = (tmp_path / "ca.pem").read_bytes()
    lines = certificates.make(tmp_path, ["one", "two"])
    assert (tmp_path / "robots" / "one.pem").read_bytes() == before
    assert (tmp_path / "ca.pem").read_bytes() == authority
    assert certificates.names_in(tmp_path) == ["one", "two"]
    assert len(lines) == 1
    assert "--robot.id two" in lines[0]


def test_names_that_cannot_be_are_refused(tmp_path: Path) -> None:
    for name in ("x" * 65, "lerobot-server"):
        with pytest.raises(UsageError, match="cannot be called"):
            certificates.make(tmp_path, [name])


def test_a_folder_without_certificates_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no certificates"):
        certificates.load(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be used"):
        certificates.make(tmp_path / "file", ["a"])


def test_a_robots_files_that_are_not_there_are_named(port: int, tmp_path: Path) -> None:
    left = robot(port, tmp_path)
    with pytest.raises(ConfigError, match=r"ca\.pem cannot be read"):
        left.start()
    half = robot(port, tmp_path, certificate="", tls_ca=None, tls_cert=Path(__file__))
    with pytest.raises(ConfigError, match="needs its key"):
        half.start()
