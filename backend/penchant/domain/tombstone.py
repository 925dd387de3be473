"""What remains of a forgotten user: a receipt, and nothing by which to find out who it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from penchant.domain.errors import UserForgotten
from penchant.domain.types import Event


@dataclass(frozen=True, slots=True)
class ForgetReceipt:
    """That a user was forgotten; the same for every repetition."""

    id: str
    """Random."""
    at_us: int
    """When, in microseconds since 1970."""
    deleted: Mapping[str, int] = field(default_factory=dict)
    """Rows by kind; kinds without a row are left out."""

    @property
    def deleted_events(self) -> int:
        """Rows of the log."""
        return self.deleted.get("events", 0)


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Keeps what is forgotten from coming back."""

    receipt: ForgetReceipt
    until_us: int
    """Events up to this time are refused: when the user was forgotten or, if the user's clock was
    ahead, the time of the newest event that was deleted."""

    def check(self, event: Event) -> None:
        """Raises UserForgotten for an event that is not newer."""
        if event.occurred_at_us <= self.until_us:
            raise UserForgotten(
                "occurred_at_us: got a time before the user was forgotten, expected a later one; "
                "leave the event out"
            )
