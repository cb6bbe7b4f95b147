"""Options of `--strategy dagger`."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from lerobot_core.config.fields import option
from lerobot_core.strategies.config import StrategyConfig


@dataclass(frozen=True, kw_only=True)
class Keys:
    """LeRobot's names for the keys of a device, empty where they stay as they are."""

    pause_resume: str = option("", help="pause, and go on")
    correction: str = option("", help="take over, and give back")
    upload: str = option("", help="publish what is saved")


@dataclass(frozen=True, kw_only=True)
class DaggerConfig(StrategyConfig):
    """What is recorded, and how the arm changes hands."""

    num_episodes: int | None = option(
        None, help="episodes to save, corrections or attempts; default: the dataset's", low=1, primary=True
    )
    record_autonomous: bool = option(False, help="record whole attempts, not only the corrections")
    smooth_handover: bool = option(
        True, help="the arm (or an actuated leader) comes over in small steps; off: the safety filter alone does it"
    )
    clutch: bool = option(
        False, help="the arm moves by how far the leader is moved, from wherever the leader stands at takeover"
    )
    target_video_file_size_mb: float = option(
        200.0, help="size of one camera's video at which a long attempt is cut", unit="MB", low=1.0
    )
    upload_every_n_episodes: int = option(
        0, help="publish in the background after every so many episodes; 0: never", low=0
    )
    keyboard: Keys = option(factory=Keys, help="keys of the terminal, as LeRobot names them; else keys")
    pedal: Keys = option(factory=Keys, help="keys of a pedal, as LeRobot names them; else keys")

    def bindings(self) -> dict[str, str]:
        """{event: key} asked for: `keys`, and what LeRobot's options say that `keys` does not."""
        asked = {name: key for device in (self.keyboard, self.pedal) for name, key in asdict(device).items() if key}
        return asked | dict(self.keys or {})
