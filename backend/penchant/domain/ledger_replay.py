"""A user's ledger as the log gives it: every reservation, and which of them were shown.

A live ledger drops an entry at the first grant at which it can matter no more. The replayed one
drops all such entries as of its latest grant, so that the two differ at most by entries that the
live ledger's next grant drops.

    >>> from penchant.domain.frequency_caps import empty_ledger
    >>> toy = ReservedImpression("toy", at_us=5, lapses_at_us=60_000_005, budget="m", cost_micros=7)
    >>> replayed(empty_ledger(), [("r", toy)], {("r", "toy", 5): 9})["shown_at_us"].tolist()
    [9]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from penchant.domain.frequency_caps import LEDGER_DTYPE, Ledger, entries, prune
from penchant.domain.reservations import ReservedImpression
from penchant.domain.window import digest64

Confirmations = Mapping[tuple[str, str, int], int]
"""Times of impressions that were shown, in microseconds since 1970, by the id of the
recommendation, the item, and the time of the reservation."""


def replayed(
    past: Ledger,
    reserved: Iterable[tuple[str, ReservedImpression]],
    confirmations: Confirmations,
) -> Ledger:
    """The ledger after all reservations and impressions, in the order of the reservations.

    Args:
        past: the ledger before the log held reservations.
        reserved: all reservations since, each with the id of its recommendation.
        confirmations: all impressions that confirmed one of either.
    """
    rows = [row for id_, impression in reserved for row in entries(digest64(id_), impression)]
    ledger: Ledger = np.concatenate([past, np.array(rows, LEDGER_DTYPE)])
    ledger = _newest(ledger[np.argsort(ledger["at_us"], kind="stable")])
    for (id_, item, reserved_at_us), shown_at_us in confirmations.items():
        mine = ledger["recommendation"] == digest64(id_)
        mine &= (ledger["item"] == digest64(item)) & (ledger["at_us"] == reserved_at_us)
        ledger["shown_at_us"][mine] = max(shown_at_us, reserved_at_us)
    return prune(ledger, int(ledger["at_us"].max(initial=0)))


def _newest(ledger: Ledger) -> Ledger:
    """The ledger without entries that a later reservation of the same impression has replaced."""
    pairs = ledger[["recommendation", "item"]].tolist()
    latest = dict(zip(pairs, ledger["at_us"].tolist(), strict=True))
    stays = [
        at_us == latest[pair] for pair, at_us in zip(pairs, ledger["at_us"].tolist(), strict=True)
    ]
    kept: Ledger = ledger[np.array(stays, bool)]
    return kept
