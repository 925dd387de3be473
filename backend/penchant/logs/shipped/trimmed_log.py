"""The shipped log of a store that was trimmed: with it, whatever learns anew forgets nothing."""

from __future__ import annotations

import logging
from functools import partial

from penchant.domain.errors import StateCorrupt
from penchant.domain.rewards import SignalTable
from penchant.logs.interactions import ReadLog
from penchant.logs.refusals import LeftOut
from penchant.logs.shipped.shipped_source import ShippedSource
from penchant.store.base import Store
from penchant.store.ship_notes import read_shipping

log = logging.getLogger("penchant")


def trimmed_log(store: Store) -> ShippedSource:
    """The place that holds what was trimmed from a store; false where the store holds it all.

    Where the state of the shipping can't be read, which the log says, the store stands for itself.
    """
    with store.snapshot() as snapshot:
        try:
            shipping = read_shipping(snapshot)
        except StateCorrupt as error:
            log.error("%s; only the store's own events are read", error)
            shipping = None
    return ShippedSource(shipping.url if shipping is not None and shipping.trims else "")


def reader_of_whole_log(store: Store, signals: SignalTable, left_out: LeftOut) -> ReadLog | None:
    """What reads the whole log of a store; None where the store holds it all."""
    shipped = trimmed_log(store)
    if not shipped:
        return None
    return partial(shipped.outcomes, store=store, signals=signals, left_out=left_out)
