"""The table of kinds. Adding a kind is adding a row here, a contract file and a hook."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """One row.

    Attributes:
        name: as typed (`lr plugins show robot so100`).
        section: the configuration section and option prefix (`--teleop.port`).
        hook: the catalogue hook; "" for kinds that are plain entry points.
        contract: `module:class` of the Protocol.
        conformance: `module:class` of the pytest kit.
        plural: several instances by name (`--camera.front opencv`).
        summary: one line.
    """

    name: str
    section: str
    hook: str
    contract: str
    conformance: str
    plural: bool
    summary: str

    @property
    def group(self) -> str:
        """The entry-point group."""
        return f"lerobot.{self.name}"


def _row(name: str, hook: str, contract: str, summary: str, section: str = "", plural: bool = False) -> Kind:
    contract_path = f"lerobot_core.contracts.{name}:{contract}" if contract else ""
    conformance = f"lerobot_core.conformance.{name}:{contract}Conformance" if contract else ""
    return Kind(name, section or name, hook, contract_path, conformance, plural, summary)


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        _row("robot", "lerobot_robots", "Robot", "something with joints"),
        _row("teleoperator", "lerobot_teleoperators", "Teleoperator", "how a person moves it", section="teleop"),
        _row("camera", "lerobot_cameras", "Camera", "a source of images", plural=True),
        _row("bus", "lerobot_buses", "Bus", "servos on one line"),
        _row("policy", "lerobot_policies", "Policy", "observations to action chunks"),
        _row("inference", "lerobot_inference_engines", "InferenceEngine", "where the policy runs"),
        _row("strategy", "lerobot_strategies", "Strategy", "what is executed and recorded"),
        _row("storage", "lerobot_storages", "Storage", "where episodes go", section="dataset"),
        _row("env", "lerobot_envs", "Env", "a simulated task"),
        _row("processor", "lerobot_processors", "Processor", "a robot-side step", plural=True),
        _row("reward", "lerobot_rewards", "Reward", "judges an observation"),
        _row("operator", "lerobot_operators", "Operator", "keys, pedal, script", plural=True),
        _row("observer", "lerobot_observers", "Observer", "watches rows", plural=True),
        _row("command", "", "", "a verb of `lr`"),
        _row("scheme", "", "", "a reference such as sim:0 or org/name, answered by hooks"),
    )
}


def kind_of_section(section: str) -> Kind | None:
    """The kind configured by a section (`"teleop"` -> teleoperator), None for plain sections."""
    return next((kind for kind in KINDS.values() if kind.section == section), None)
