"""The hot path of Penchant's backend, compiled; `penchant.system.native_module` chooses it."""

from __future__ import annotations

from penchant_native._core import INTERFACE, RECORD_SCHEMA, Folds, crc32, record_head

__all__ = ["INTERFACE", "RECORD_SCHEMA", "Folds", "crc32", "record_head"]
