"""The fake server's reservations: caps of each user, budgets over all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from penchant_proto.v1 import event_pb2, reserve_pb2
from penchant_sdk import _fake_checks as checks
from penchant_sdk._fake_catalog import FakeCatalog
from penchant_sdk._fake_signals import IMPRESSIONS
from penchant_sdk.errors import InvalidRequest, UnknownItem

_DEFAULT_LAPSE_S = 60


@dataclass(slots=True)
class _Reserved:
    """One impression that was reserved."""

    recommendation_id: str
    option: reserve_pb2.ReserveOption
    at_us: int
    lapses_at_us: int
    shown_at_us: int | None = None

    def stands(self, at_us: int) -> bool:
        """Whether it was shown, or may still be."""
        return self.shown_at_us is not None or self.lapses_at_us > at_us

    def counts(self, cap: reserve_pb2.Cap, at_us: int) -> bool:
        """Whether it takes a place under a cap."""
        if not self.stands(at_us) or all(own.key != cap.key for own in self.option.caps):
            return False
        return self.shown_at_us is None or self.shown_at_us > at_us - cap.window_s * 1_000_000


@dataclass(slots=True)
class FakeLedger:
    """Reservations in memory."""

    catalog: FakeCatalog
    clock: Callable[[], float]
    _users: dict[str, list[_Reserved]] = field(default_factory=dict)
    _spent: dict[str, int] = field(default_factory=dict)

    def reserve(self, request: reserve_pb2.ReserveRequest) -> reserve_pb2.ReserveReply:
        """Reserves impressions."""
        now_us = round(self.clock() * 1e6)
        _check(request, now_us)
        for option in request.options:
            if option.item not in self.catalog.items:
                raise UnknownItem(f"item: got {option.item!r}, which the catalog does not hold")
        now_us = request.as_of_us if request.HasField("as_of_us") else now_us
        ledger = self._users.get(request.user, [])
        at_us = max([now_us, *(one.at_us for one in ledger)])
        lapses_at_us = at_us + (request.lapse_s or _DEFAULT_LAPSE_S) * 1_000_000
        known = {
            one.option.item: one.lapses_at_us
            for one in ledger
            if one.recommendation_id == request.recommendation_id and one.stands(at_us)
        }
        reply = reserve_pb2.ReserveReply()
        for option in request.options:
            if option.item in known:
                reply.reserved.add(item=option.item, lapses_at_us=known[option.item])
            elif reason := self._forbidden(option, ledger, at_us, now_us):
                reply.refused.add(item=option.item, reason=reason)
            elif not known and len(reply.reserved) < request.n:
                reply.reserved.add(item=option.item, lapses_at_us=lapses_at_us)
                again = (request.recommendation_id, option.item)
                ledger = [
                    one for one in ledger if again != (one.recommendation_id, one.option.item)
                ]
                ledger.append(_Reserved(request.recommendation_id, option, at_us, lapses_at_us))
                self._users[request.user] = ledger
        return reply

    def confirm(self, event: event_pb2.Event) -> None:
        """Takes note of an accepted event: an impression confirms its reservation."""
        if event.signal not in IMPRESSIONS or not event.recommendation_id:
            return
        for one in self._users.get(event.user, []):
            mine = (one.recommendation_id, one.option.item)
            if mine == (event.recommendation_id, event.item) and one.shown_at_us is None:
                one.shown_at_us = max(one.at_us, event.occurred_at_us)
                budget = one.option.budget
                self._spent[budget.key] = self._spent.get(budget.key, 0) + budget.cost_micros

    def forget(self, user: str) -> bool:
        """Deletes a user's reservations; whether there were any."""
        return self._users.pop(user, None) is not None

    def _forbidden(
        self,
        option: reserve_pb2.ReserveOption,
        ledger: Iterable[_Reserved],
        at_us: int,
        now_us: int,
    ) -> reserve_pb2.Unreserved.Reason | None:
        for cap in option.caps:
            if sum(one.counts(cap, at_us) for one in ledger) >= cap.limit:
                return reserve_pb2.Unreserved.REASON_CAPPED
        budget = option.budget
        if not option.HasField("budget"):
            return None
        held = sum(
            one.option.budget.cost_micros
            for users in self._users.values()
            for one in users
            if one.option.budget.key == budget.key
            and one.shown_at_us is None
            and one.lapses_at_us > now_us
        )
        after = self._spent.get(budget.key, 0) + held + budget.cost_micros
        return reserve_pb2.Unreserved.REASON_BUDGET if after > budget.allowed_micros else None


def _check(request: reserve_pb2.ReserveRequest, now_us: int) -> None:
    """Raises InvalidRequest where a reserve request breaks the contract."""
    checks.check_id("user", request.user)
    checks.check_id("recommendation_id", request.recommendation_id, 64)
    checks.check_ids("options", [option.item for option in request.options], 1000)
    _check_range("n", request.n, 1, 100)
    _check_range("lapse_s", request.lapse_s, 0, 3600)
    _check_range("as_of_us", request.as_of_us, 0, now_us + checks.FUTURE_US)
    for option in request.options:
        checks.check_count("caps", option.caps, 16, least=0)
        for cap in option.caps:
            checks.check_id("key", cap.key)
            _check_range("limit", cap.limit, 1, 2**32 - 1)
            _check_range("window_s", cap.window_s, 1, 31_536_000)
        if option.HasField("budget"):
            checks.check_id("key", option.budget.key)
            _check_range("cost_micros", option.budget.cost_micros, 0, 2**53 - 1)


def _check_range(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InvalidRequest(f"{name}: got {value}, expected {least} to {most}")
