"""An observation as bytes; cameras are compressed side by side, because the compressor lets go of the interpreter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from lerobot_core.types import Guide, Observation

from .wire import pictures, tensors
from .wire.bodies import LONGEST_AGE_S, LONGEST_TASK, ObservationBody, encode, guide_body
from .wire.errors import WireError

PARALLEL_PIXELS = 200 * 200
"""Below this a thread costs more than it saves."""


class Encoder:
    """Keeps its threads.

    Args:
        quality: of JPEG, or `pictures.RAW`.
    """

    def __init__(self, quality: int) -> None:
        self._quality = quality
        self._pool: ThreadPoolExecutor | None = None

    def encode(
        self,
        obs: Observation,
        states: Sequence[str],
        cameras: Mapping[str, tuple[int, int, int]],
        task: str,
        now: float,
        guide: Guide | None,
    ) -> bytes:
        """The body of an OBSERVATION.

        Raises:
            WireError: the observation lacks a key, or an image is none.
        """
        import numpy as np

        missing = [key for key in (*states, *cameras) if key not in obs]
        if missing:
            raise WireError("observation", f"lacks {', '.join(missing)}")
        state = np.array([float(obs[key]) for key in states], np.float64)
        age = min(max(now - obs.time, 0.0), LONGEST_AGE_S)
        packed = self._pictures({name: obs[name] for name in cameras})
        return encode(ObservationBody(tensors.pack(state), packed, task[:LONGEST_TASK], age, guide_body(guide)))

    def _pictures(self, images: Mapping[str, pictures.Image]) -> dict[str, pictures.Picture]:
        large = [each for each in images.values() if each.shape[0] * each.shape[1] >= PARALLEL_PIXELS]
        if len(large) < 2 or self._quality == pictures.RAW:
            return {name: pictures.pack(image, self._quality) for name, image in images.items()}
        if self._pool is None:
            self._pool = ThreadPoolExecutor(len(images), "remote-jpeg")
        packed = self._pool.map(lambda image: pictures.pack(image, self._quality), images.values())
        return dict(zip(images, packed, strict=True))

    def close(self) -> None:
        """Idempotent."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
