"""Zenoh's access control: a robot may say and hear what carries its own name, the name being its certificate's.

Declarations are filtered too, by inclusion: a robot that is not shown the server's subscription keeps its puts to
itself, and one that is not shown a queryable asks in vain. So the server's own keys are let out to every robot.
Rules cannot be changed while a server or router runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lerobot_inference_remote.wire.keys import ROOT, SERVER, segment

SERVER_NAME = "lerobot-server"

_STATUS = f"{ROOT}/*/{SERVER}/*/status"
_TOKENS = f"{ROOT}/*/{SERVER}/*"
_OPENINGS = f"{ROOT}/*/*/open/*"
_EVERYTHING = [f"{ROOT}/**", f"{ROOT}/*/{SERVER}/**"]
_MESSAGES = [
    "put", "delete", "declare_subscriber", "query", "reply", "declare_queryable",
    "liveliness_token", "liveliness_query", "declare_liveliness_subscriber",
]  # fmt: skip


def rules(robots: Iterable[str]) -> dict[str, Any]:
    """The `access_control` section: everything is denied that is not listed."""
    names = [*robots]
    found = [rule for name in names for rule in _of_robot(name)] + [
        _rule("server", ["ingress", "egress"], _MESSAGES, _EVERYTHING)
    ]
    return {
        "enabled": True,
        "default_permission": "deny",
        "rules": found,
        "subjects": [{"id": f"who:{name}", "cert_common_names": [name]} for name in [*names, SERVER_NAME]],
        "policies": [
            *({"rules": [rule["id"] for rule in _of_robot(name)], "subjects": [f"who:{name}"]} for name in names),
            {"rules": ["server"], "subjects": [f"who:{SERVER_NAME}"]},
        ],
    }


def _of_robot(name: str) -> list[dict[str, Any]]:
    own = f"{ROOT}/*/{segment(name)}"
    inward, outward = ["ingress"], ["egress"]
    table = [
        ("put-in", inward, ["put"], [f"{own}/obs"]),
        ("hear-in", inward, ["declare_subscriber"], [f"{own}/action"]),
        ("ask-in", inward, ["query"], [f"{own}/open/*", _STATUS]),
        ("token-in", inward, ["liveliness_token"], [f"{own}/alive/*"]),
        ("look-in", inward, ["liveliness_query", "declare_liveliness_subscriber"], [_TOKENS]),
        ("put-out", outward, ["put"], [f"{own}/action"]),
        ("hear-out", outward, ["declare_subscriber"], [f"{own}/obs"]),
        ("answer-out", outward, ["reply"], [f"{own}/open/*", _STATUS]),
        ("asked-out", outward, ["declare_queryable"], [_OPENINGS, _STATUS]),
        ("token-out", outward, ["liveliness_token"], [_TOKENS]),
    ]
    return [_rule(f"{what}:{name}", flows, messages, keys) for what, flows, messages, keys in table]


def _rule(name: str, flows: list[str], messages: list[str], keys: list[str]) -> dict[str, Any]:
    return {"id": name, "permission": "allow", "flows": flows, "messages": messages, "key_exprs": keys}
