"""Options of the acme policy."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.bases import PolicyConfig
from lerobot_core.config.fields import option


@dataclass(frozen=True, kw_only=True)
class AcmePolicyConfig(PolicyConfig):
    """`path`, `names_from`, `assume_order` and `units` are inherited."""

    chunk_size: int = option(25, help="actions in a chunk", low=1)
