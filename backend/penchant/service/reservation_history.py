"""A user's reservations and the impressions that confirmed them, read from the logs and paired."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from penchant.domain.ad_accounts import AdAccount, AdAccountKey, campaign_of
from penchant.domain.frequency_caps import Ledger, redated
from penchant.domain.ledger_replay import replayed
from penchant.domain.reservations import ReservedImpression
from penchant.domain.types import LogRow, Receipt
from penchant.domain.window import digest64
from penchant.store.base import Snapshot
from penchant.store.reservation_log import read_unlogged, scan_reserved
from penchant.store.users import read_whole_log

ALL_LAPSED_US = 2**62
"""A time after which no reservation is open."""

_Shown = tuple[LogRow, Receipt]
"""An impression that confirmed a reservation."""


@dataclass(frozen=True, slots=True)
class PairedReservation:
    """A reservation, and the impression that confirmed it."""

    recommendation_id: str
    impression: ReservedImpression
    shown: _Shown | None


@dataclass(frozen=True, slots=True)
class ReservationHistory:
    """All that was reserved for one user, and what came of it."""

    past: Ledger
    """The ledger as the last release left it that logged no reservations."""
    reserved: tuple[PairedReservation, ...]
    """All reservations since, in the order of their times."""
    strays: tuple[_Shown, ...]
    """Impressions that confirmed a reservation of such a release."""

    def ledger(self, clock_us: int) -> Ledger:
        """The ledger that the log gives, at the clock's time."""
        shown_at_us = {
            (row.event.recommendation_id, row.event.item, receipt.reserved_at_us): (
                row.event.occurred_at_us
            )
            for row, receipt in self.strays
        }
        for one in self.reserved:
            if one.shown is not None:
                key = one.recommendation_id, one.impression.item, one.impression.at_us
                shown_at_us[key] = one.shown[0].event.occurred_at_us
        reserved = ((one.recommendation_id, one.impression) for one in self.reserved)
        return redated(replayed(self.past, reserved, shown_at_us), clock_us)

    def accounts(self, now_us: int) -> dict[AdAccountKey, AdAccount]:
        """What each campaign reserved and was charged, by day.

        Args:
            now_us: reservations that lapse later are open.
        """
        found: defaultdict[AdAccountKey, AdAccount] = defaultdict(AdAccount)
        for one in self.reserved:
            reserved, shown = one.impression, one.shown
            digest = digest64(reserved.budget) if reserved.budget else 0
            campaign = campaign_of(reserved.budget, reserved.item)
            found[AdAccountKey(campaign, reserved.day, digest)] += AdAccount(
                reserved=1,
                confirmed=int(shown is not None),
                open=int(shown is None and reserved.lapses_at_us > now_us),
                reserved_micros=reserved.cost_micros,
                charged_micros=0 if shown is None else shown[1].cost_micros,
            )
        for row, receipt in self.strays:
            cost = receipt.cost_micros
            found[AdAccountKey(row.event.item, "", receipt.budget)] += AdAccount(
                1, 1, 0, cost, cost
            )
        return dict(found)


def read_history(snapshot: Snapshot, user: str) -> ReservationHistory:
    """Reads a user's reservations and receipts. Cost: one pass over the user's log.

    Raises:
        StateCorrupt, StateTooNew: a row can't be read.
    """
    reserved = sorted(scan_reserved(snapshot, user), key=lambda pair: pair[1].at_us)
    shown = [
        (row, row.receipt) for row in read_whole_log(snapshot, user) if row.receipt is not None
    ]
    return ReservationHistory(read_unlogged(snapshot, user), *_paired(reserved, shown))


def _paired(
    reserved: list[tuple[str, ReservedImpression]], shown: Iterable[_Shown]
) -> tuple[tuple[PairedReservation, ...], tuple[_Shown, ...]]:
    """Pairs each impression with its reservation, by recommendation, item and time.

    A reservation that a wrong clock dated ahead has another time since; the latest without an
    impression is taken then.
    """
    places: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for place, (id_, impression) in enumerate(reserved):
        places[id_, impression.item].append(place)
    found: dict[int, _Shown] = {}
    moved: list[_Shown] = []
    strays: list[_Shown] = []
    for row, receipt in shown:
        mine = places[row.event.recommendation_id, row.event.item]
        exact = [place for place in mine if reserved[place][1].at_us == receipt.reserved_at_us]
        if exact:
            found[exact[0]] = row, receipt
        else:
            moved.append((row, receipt))
    for row, receipt in moved:
        mine = places[row.event.recommendation_id, row.event.item]
        left = [place for place in mine if place not in found]
        if left:
            found[left[-1]] = row, receipt
        else:
            strays.append((row, receipt))
    paired = [PairedReservation(*pair, found.get(place)) for place, pair in enumerate(reserved)]
    return tuple(paired), tuple(strays)
