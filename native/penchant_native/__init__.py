"""The hot path of Penchant's backend, compiled; `penchant.system.native_module` chooses it."""

from __future__ import annotations

from penchant_native._core import (
    INTERFACE,
    RECORD_SCHEMA,
    FeedbackCall,
    FeedbackLimits,
    FeedbackView,
    Folds,
    FoldTerms,
    ItemIds,
    RankCall,
    RankLimits,
    RankView,
    coarse_size,
    crc32,
    parse_feedback_call,
    parse_rank_call,
    record_version,
    write_coarse_rows,
)

__all__ = [
    "INTERFACE",
    "RECORD_SCHEMA",
    "FeedbackCall",
    "FeedbackLimits",
    "FeedbackView",
    "FoldTerms",
    "Folds",
    "ItemIds",
    "RankCall",
    "RankLimits",
    "RankView",
    "coarse_size",
    "crc32",
    "parse_feedback_call",
    "parse_rank_call",
    "record_version",
    "write_coarse_rows",
]
