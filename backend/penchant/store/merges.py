"""The rules by which operands are added to rows that all users share, one a kind of key.

A rule is a pure function of a row, or None, and an operand; its result is the new row, or None for
a row that is deleted. Operands of different users give the same row in any order; those of one user
are applied in the order in which they were committed, each once. A row that can't be read is left
as it is, so that the repair of its kind makes it again, or begins anew where its module says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from penchant.store.accepted_events import accepted_with
from penchant.store.counters import counters_with
from penchant.store.keys import Kind
from penchant.store.ledgers import spending_with
from penchant.store.newest import newest_with
from penchant.store.reservation_log import balance_with
from penchant.store.rollouts import sums_with
from penchant.store.ship_notes import note_with

Rule = Callable[[bytes | None, bytes], bytes | None]
"""(row or None, operand) -> row or None."""

MERGES: Mapping[int, Rule] = {
    Kind.COUNTERS: counters_with,
    Kind.NEWEST: newest_with,
    Kind.ACCEPTED: accepted_with,
    Kind.SUMS: sums_with,
    Kind.BUDGET: spending_with,
    Kind.BALANCE: balance_with,
    Kind.SHIP_NOTE: note_with,
}
"""By kind byte."""


def merged_row(key: bytes, row: bytes | None, operand: bytes) -> bytes | None:
    """The row of a key with an operand added to it; None: it is deleted.

    Raises:
        KeyError: rows of this kind are not merged.
        StateCorrupt, StateTooNew: the operand can't be read, or a newer release wrote one of both.
    """
    return MERGES[key[0]](row, operand)
