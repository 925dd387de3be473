"""Reserve: take impressions within caps and budgets, one transaction for the whole batch."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from penchant.catalog.view import CatalogView
from penchant.domain.errors import InvalidRequest, PenchantError, StoreUnavailable, UnknownItem
from penchant.domain.limits import (
    Limits,
    check_count,
    check_id,
    check_ids,
    check_name,
    check_range,
    check_time,
)
from penchant.domain.reservations import Reservations, ReserveOption, ReserveRequest
from penchant.domain.window import digest64
from penchant.service.attempt import attempt
from penchant.service.campaign_costs import bounded
from penchant.service.clock import Clock
from penchant.service.meter import Meter
from penchant.service.reservation_ledger import Hold, ReservationLedger
from penchant.service.user_interest import READ_BY_ALL, Catalogs
from penchant.store.base import Snapshot, Store, WriteConflict
from penchant.store.conflict_retries import ConflictRetries, in_transaction
from penchant.store.keys import Kind, encode


def check_reserve(request: ReserveRequest, now_us: int, limits: Limits) -> ReserveRequest:
    """The request; raises InvalidRequest if it breaks the contract."""
    check_id("user", request.user, limits)
    name, most = "recommendation_id", limits.recommendation_id_bytes
    check_name(InvalidRequest, name, request.recommendation_id, most)
    items = [option.item for option in request.options]
    check_ids("options", items, limits.options, limits, ".item")
    check_range("n", request.n, limits.reservations)
    check_range("lapse_s", request.lapse_s, limits.lapse_s)
    for position, option in enumerate(request.options):
        _check_option(f"options[{position}]", option, limits)
    if request.as_of_us is not None:
        check_time(InvalidRequest, "as_of_us", request.as_of_us, now_us, limits)
    return request


def _check_option(name: str, option: ReserveOption, limits: Limits) -> None:
    check_count(f"{name}.caps", option.caps, limits.caps, least=0)
    for position, cap in enumerate(option.caps):
        check_id(f"{name}.caps[{position}].key", cap.key, limits)
        check_range(f"{name}.caps[{position}].window_s", cap.window_s, limits.cap_window_s)
        if cap.limit < 1:
            raise InvalidRequest(f"{name}.caps[{position}].limit: got 0, expected 1 or more")
    if option.budget is not None:
        check_id(f"{name}.budget.key", option.budget.key, limits)
        cost = option.budget.cost_micros
        check_range(f"{name}.budget.cost_micros", cost, limits.cost_micros, least=0)
        if option.budget.pace is not None:
            window_s = option.budget.pace.window_s
            check_range(f"{name}.budget.pace.window_s", window_s, limits.pace_window_s, least=5)


class ReserveService:
    """Reserves impressions within caps and budgets, however many servers do.

    A user's ledger and a budget are each read and written at once, or the work is done again. Where
    a budget is written and its user's ledger is not, since another server was faster, the next
    attempt gives back what the budget holds; after a crash in between, it lapses.
    """

    def __init__(self, store: Store, catalogs: Catalogs, clock: Clock, meter: Meter) -> None:
        self._store = store
        self._catalogs = catalogs
        self._clock = clock
        self._meter = meter

    def reserve(self, requests: Sequence[ReserveRequest]) -> list[Reservations | PenchantError]:
        """The reservations of each request, durable when this returns.

        A request sees the reservations of those before it.

        Raises:
            StoreUnavailable: the whole batch reserved nothing. Where several servers write, some of
                it may be reserved, which the same request, sent again, is answered with.
        """
        now_us, left = self._clock(), dict(enumerate(requests))
        replies: dict[int, Reservations | PenchantError] = {}
        owed: list[Hold] = []
        retries = ConflictRetries()
        while left:
            ledger: ReservationLedger | None = None
            try:
                with self._store.transaction() as transaction:
                    transaction.fetch(_keys(left.values()))
                    view = self._catalogs.read(transaction).served
                    ledger = ReservationLedger(transaction, now_us, owed)
                    taken = {
                        place: attempt(_reserve, transaction, view, ledger, request, now_us)
                        for place, request in left.items()
                    }
                    ledger.write()
                replies |= taken
                left = {}
            except WriteConflict as conflict:
                if ledger is not None:
                    owed = _still_owed(owed, ledger, conflict)
                if conflict.users:
                    replies |= _of_others(taken, left, conflict.users)
                    left = {place: one for place, one in left.items() if one.user in conflict.users}
                self._pause(retries, conflict, owed, now_us)
        ordered = [replies[place] for place in range(len(requests))]
        self._count(ordered)
        return ordered

    def _pause(
        self, retries: ConflictRetries, conflict: WriteConflict, owed: Sequence[Hold], now_us: int
    ) -> None:
        """Waits for the next attempt; after the last one, gives back what budgets hold."""
        try:
            retries.pause(conflict)
        except StoreUnavailable:
            if owed:
                in_transaction(
                    self._store,
                    lambda transaction: ReservationLedger(transaction, now_us, owed).write(),
                )
            raise

    def _count(self, replies: Sequence[Reservations | PenchantError]) -> None:
        granted = [reply for reply in replies if isinstance(reply, Reservations)]
        outcomes = Counter(one.reason.value for reply in granted for one in reply.refused)
        outcomes["reserved"] = sum(len(reply.reserved) for reply in granted)
        for outcome, options in outcomes.items():
            self._meter.reserved(outcome, options)


def _still_owed(
    before: Sequence[Hold], ledger: ReservationLedger, conflict: WriteConflict
) -> list[Hold]:
    """What budgets hold after a conflict for reservations that were not written."""
    not_given = [hold for hold in before if hold.key not in conflict.written]
    return not_given + [
        hold for hold in ledger.held(conflict.users) if hold.key in conflict.written
    ]


def _of_others(
    taken: Mapping[int, Reservations | PenchantError],
    requests: Mapping[int, ReserveRequest],
    users: Collection[str],
) -> dict[int, Reservations | PenchantError]:
    """The replies to the requests of all users but some."""
    return {place: reply for place, reply in taken.items() if requests[place].user not in users}


def _keys(requests: Iterable[ReserveRequest]) -> Iterator[bytes]:
    """The rows that requests need; lazy, since a store on this machine does not look at it."""
    yield from READ_BY_ALL
    for request in requests:
        yield encode(Kind.LEDGER, request.user)
        yield encode(Kind.RESERVED, request.user, digest64(request.recommendation_id))
        for option in request.options:
            if option.budget is not None:
                yield encode(Kind.BUDGET, digest64(option.budget.key))
                yield encode(Kind.ITEM, option.item)


def _reserve(
    snapshot: Snapshot,
    view: CatalogView,
    ledger: ReservationLedger,
    request: ReserveRequest,
    now_us: int,
) -> Reservations:
    for position, option in enumerate(request.options):
        if view.number(option.item) is None:
            raise UnknownItem(
                f"options[{position}].item: got {option.item[:64]!r}, "
                "which the catalog does not hold"
            )
    options = tuple(bounded(snapshot, option) for option in request.options)
    request = dataclasses.replace(request, options=options)
    return ledger.reserve(request, now_us if request.as_of_us is None else request.as_of_us)
