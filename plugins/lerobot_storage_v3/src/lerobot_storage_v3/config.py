"""The options of the storage `lerobot`."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.bases import DatasetConfig
from lerobot_core.config.fields import option


@dataclass(frozen=True, kw_only=True)
class LerobotStorageConfig(DatasetConfig):
    """A LeRobotDataset v3.0."""

    slow_encoder: str = option(
        "mark",
        help="an encoder that cannot keep up: repeat the last picture and flag the row, or hold the loop up",
        choices=("mark", "block"),
    )
    queue_mb: int = option(96, help="images that may wait for the encoder", unit="MB", low=1)
    crf: int | None = option(
        None, help="video quality, lower is better; default 23 for H.264, 28 for HEVC, 30 for AV1", low=0, high=63
    )
    gop: int = option(2, help="frames from one key frame to the next; 2 makes random reads fast", low=1, aliases=("g",))
    video_file_mb: int = option(
        200, help="merge videos up to this size", unit="MB", low=1, aliases=("video_files_size_in_mb",)
    )
    data_file_mb: int = option(
        100, help="merge row files up to this size", unit="MB", low=1, aliases=("data_files_size_in_mb",)
    )
    compact: bool = option(True, help="merge the small files of single episodes in the background")
