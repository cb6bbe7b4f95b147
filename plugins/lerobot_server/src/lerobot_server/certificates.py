"""An authority of one's own: a certificate for the server, one for each robot, and rules by the name in them."""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from lerobot_core.errors import ConfigError, UsageError
from lerobot_inference_remote.transport import Security
from lerobot_inference_remote.wire.keys import segment

from .access import SERVER_NAME, rules

ROBOTS = "robots.json"
AUTHORITY_DAYS, LEAF_DAYS = 3650, 825
LONGEST_NAME = 64
_HERE = ("localhost", "127.0.0.1", "::1")


def make(folder: Path, robots: Iterable[str], hosts: Iterable[str] = ()) -> list[str]:
    """Create or complete `folder`; what is there is kept, so robots can be added later. Lines that tell what was made.

    Raises:
        UsageError: a name cannot be in a certificate.
        ConfigError: the folder cannot be written, or its authority not be read.
    """
    wanted = [*dict.fromkeys(robots)]
    wrong = [name for name in wanted if len(name) > LONGEST_NAME or name == SERVER_NAME]
    if wrong:
        raise UsageError(
            f"a robot cannot be called {wrong[0]!r} in a certificate", f"{LONGEST_NAME} characters, not {SERVER_NAME!r}"
        )
    try:
        return list(_made(folder, wanted, [*hosts]))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{folder} cannot be used", str(error), "--init-tls another folder") from error


def _made(folder: Path, robots: list[str], hosts: list[str]) -> Iterator[str]:
    (folder / "robots").mkdir(parents=True, exist_ok=True)
    if not (folder / "ca.pem").exists():
        _authority(folder)
        yield f"{folder / 'ca.pem'}: the authority; ca.key signs, keep it off the robots and off the server"
    if hosts or not (folder / "server.pem").exists():
        names = [*dict.fromkeys([*hosts, socket.gethostname(), *_HERE])]
        _leaf(folder, folder / "server", SERVER_NAME, names)
        yield f"{folder / 'server.pem'}: server and router, at {', '.join(names)}"
    known = names_in(folder)
    for name in robots:
        place = folder / "robots" / segment(name)
        if not place.with_name(place.name + ".pem").exists():
            _leaf(folder, place, name, [])
            yield (
                f"{place}.pem: copy it with its key and ca.pem to {name!r}: --inference.tls-ca ca.pem "
                f"--inference.tls-cert {place.name}.pem --inference.tls-key {place.name}.key --robot.id {name}"
            )
    (folder / ROBOTS).write_text(json.dumps(sorted({*known, *robots}), indent=1) + "\n", "utf-8")
    if not robots and not known:
        yield "no robots yet: lr serve --init-tls FOLDER --robots NAME,NAME"


def names_in(folder: Path) -> list[str]:
    """The robots that have a certificate."""
    path = folder / ROBOTS
    return [str(name) for name in json.loads(path.read_text("utf-8"))] if path.exists() else []


def load(folder: Path) -> Security:
    """What a side that listens needs of such a folder.

    Raises:
        ConfigError: it is none.
    """
    paths = [folder / name for name in ("ca.pem", "server.pem", "server.key")]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise ConfigError(f"{folder} holds no certificates", f"no {missing[0]}", f"lr serve --init-tls {folder}")
    return Security(paths[0], paths[1], paths[2], rules(names_in(folder)))


# --- X.509 ------------------------------------------------------------------------------------------------------------


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # a robot's clock may be behind
        .not_valid_after(now + timedelta(days=days))
    )


def _authority(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    certificate = (
        _builder("lerobot authority", _name("lerobot authority"), key, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    _write(folder / "ca", key, certificate)


def _leaf(folder: Path, place: Path, name: str, hosts: list[str]) -> None:
    authority = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    signing: Any = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    key = ec.generate_private_key(ec.SECP256R1())
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if hosts else [])]
    builder = (
        _builder(name, authority.subject, key, LEAF_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(x509.SubjectAlternativeName([*map(_alternative, hosts or [_dns(name)])]), critical=False)
    )
    _write(place, key, builder.sign(signing, hashes.SHA256()))


def _dns(name: str) -> str:
    return "".join(each if each.isalnum() and each.isascii() else "-" for each in name).strip("-") or "robot"


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write(place: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    private = place.with_name(place.name + ".key")
    private.touch(mode=0o600)
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    place.with_name(place.name + ".pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
