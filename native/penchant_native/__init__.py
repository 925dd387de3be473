"""The hot path of Penchant's backend, compiled; `penchant.system.native_module` chooses it."""

from __future__ import annotations

from penchant_native._core import INTERFACE, crc32

__all__ = ["INTERFACE", "crc32"]
