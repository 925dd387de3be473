"""The result of one check of `penchant doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CheckState = Literal["ok", "warn", "fail", "skip"]


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check."""

    name: str
    state: CheckState
    found: str
    advice: str = ""
    """The remedy, if the state is `warn` or `fail`."""
