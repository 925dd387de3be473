"""The hot path of Penchant's backend, compiled; `penchant.system.native_module` chooses it."""

from __future__ import annotations

from penchant_native._core import (
    INTERFACE,
    ItemIds,
    RankCall,
    RankLimits,
    RankView,
    crc32,
    parse_rank_call,
)

__all__ = [
    "INTERFACE",
    "ItemIds",
    "RankCall",
    "RankLimits",
    "RankView",
    "crc32",
    "parse_rank_call",
]
