"""The ledgers and budgets of one transaction: each read once, and written once if it changed."""

from __future__ import annotations

import dataclasses
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from penchant.domain.errors import StateCorrupt
from penchant.domain.frequency_caps import NOT_SHOWN, PAYMENT, Ledger, confirm, grant, redated
from penchant.domain.limits import AHEAD_US
from penchant.domain.reservations import Reservations, ReservedImpression, ReserveRequest
from penchant.domain.spending import Spending, lapse_second
from penchant.domain.types import Event, Receipt
from penchant.domain.window import digest64
from penchant.service.campaign_costs import day_of
from penchant.store.base import Transaction
from penchant.store.ledgers import (
    budget_key,
    is_logged_budget,
    is_logged_ledger,
    read_ledger,
    read_spending,
    settle_spending,
    write_ledger,
    write_spending,
)
from penchant.store.reservation_log import (
    read_reserved,
    scan_reserved,
    write_past_ledger,
    write_past_spending,
    write_reserved,
)

log = logging.getLogger("penchant")


class Payment(NamedTuple):
    """Money of a budget that a reservation holds."""

    budget: int
    """Digest of the budget's key."""
    cost_micros: int
    lapses_at_us: int


class Hold(NamedTuple):
    """What a budget holds for a reservation."""

    user: str
    payment: Payment
    at_us: int
    """When it was reserved."""

    @property
    def key(self) -> bytes:
        """The key of the budget's row."""
        return budget_key(self.payment.budget)


@dataclass(slots=True)
class _Settlement:
    """What a user's impressions change in a budget."""

    spent_micros: int = 0
    freed: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    """Micros no longer held, by the second in which they lapse."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a confirmed reservation changes."""

    user: str
    ledger: Ledger
    """The user's, after it."""
    budgets: dict[int, Spending]
    """The budget that pays, if any, after it, by the digest of its key."""
    payments: list[Payment]
    """What these budgets pay."""
    receipt: Receipt


class ReservationLedger:
    """Ledgers and budgets with the changes of one batch, which its later requests see.

    A reservation is granted by what a budget has left, so budgets are read and written with it.
    What confirms or gives back has no condition: where several servers write, it is merged.
    """

    def __init__(self, transaction: Transaction, clock_us: int, owed: Iterable[Hold] = ()) -> None:
        """Reads nothing yet.

        Args:
            transaction: commits all of it.
            clock_us: the server's time, in microseconds since 1970.
            owed: what budgets hold for reservations that were not written, and get back now.
        """
        self._transaction = transaction
        self._clock_us = clock_us
        self._ledgers: dict[str, Ledger] = {}
        self._budgets: dict[int, Spending | None] = {}
        """None: it can't be read."""
        self._changed_users: set[str] = set()
        self._changed_budgets: set[int] = set()
        self._reserved: dict[tuple[str, str], list[ReservedImpression]] = {}
        """New rows of the log of reservations, by user and recommendation id."""
        self._past: dict[str, Ledger] = {}
        """Ledgers of a release that logged no reservations, by user."""
        self._balances: dict[int, int] = {}
        """What budgets of such a release had spent, in micros, by the digests of their keys."""
        self._owed: defaultdict[int, list[Hold]] = defaultdict(list)
        """By budget."""
        for hold in owed:
            self._owed[hold.payment.budget].append(hold)
        self._held: list[Hold] = []
        """What the batch holds."""
        self._settlements: defaultdict[tuple[str, int], _Settlement] = defaultdict(_Settlement)
        """By user and budget; where several servers write."""

    def held(self, users: Collection[str]) -> list[Hold]:
        """What budgets hold for reservations of some users in this batch; no user: of all."""
        return [hold for hold in self._held if not users or hold.user in users]

    def reserve(self, request: ReserveRequest, now_us: int) -> Reservations:
        """Reserves as much as caps and budgets allow; a request that fails changes nothing.

        A budget that can't be read pays for nothing.

        Raises:
            StateCorrupt, StateTooNew: the ledger cannot be read.
        """
        ledger = self._ledger(request.user)
        keys = {digest64(option.budget.key) for option in request.options if option.budget}
        granted = grant(ledger, {key: self._budget(key) for key in keys}, request, now_us)
        if granted.ledger is not ledger:
            self._note(request.user, request.recommendation_id, granted.reserved)
            self._keep(request.user, granted.ledger)
            self._budgets |= granted.budgets
            self._changed_budgets |= granted.budgets.keys()
            for one in granted.reserved:
                if one.budget:
                    paid = Payment(digest64(one.budget), one.cost_micros, one.lapses_at_us)
                    self._held.append(Hold(request.user, paid, now_us))
        return granted.reply

    def confirmation(self, event: Event) -> Confirmation | None:
        """What changes if an impression confirms its reservation; None if there is none to confirm.

        A budget that can't be read stays as it is: the receipt has the charge, from which `penchant
        rebuild ledgers` makes the budget again.

        Cost: one read of the user's ledger, for an event that names a recommendation.

        Raises:
            StateCorrupt, StateTooNew: the ledger cannot be read.
        """
        if not event.recommendation_id:
            return None
        ledger = self._ledger(event.user)
        confirmed = confirm(ledger, event.recommendation_id, event.item, event.occurred_at_us)
        if confirmed is None:
            return None
        after, found, reserved_at_us = confirmed
        payments = [Payment(*one) for one in found]
        paid = {
            one.budget: spending.confirm(one.cost_micros, one.lapses_at_us)
            for one in payments
            if (spending := self._budget(one.budget)) is not None
        }
        budget = payments[0].budget if payments else 0
        receipt = Receipt(budget, sum(one.cost_micros for one in payments), reserved_at_us)
        readable = [one for one in payments if one.budget in paid]
        return Confirmation(event.user, after, paid, readable, receipt)

    def confirm(self, confirmation: Confirmation) -> Receipt:
        """Confirms the reservation; the impression's row in the log must keep the receipt."""
        self._keep(confirmation.user, confirmation.ledger)
        for one in confirmation.payments:
            self._settle(confirmation.user, one, confirmation.budgets[one.budget], one.cost_micros)
        return confirmation.receipt

    def give_back(self, user: str) -> None:
        """Frees what a user's unconfirmed reservations hold of budgets.

        A ledger that can't be read keeps it until the reservations lapse.
        """
        try:
            ledger = self._ledger(user)
            paid = ledger[(ledger["budget"] != 0) & (ledger["shown_at_us"] == NOT_SHOWN)]
            for one in (Payment(*row) for row in paid[PAYMENT].tolist()):
                spending = self._budget(one.budget)
                if spending is not None:
                    left = spending.release(one.cost_micros, one.lapses_at_us)
                    self._settle(user, one, left, 0)
        except StateCorrupt as error:
            log.error("%s; what a forgotten user had reserved is held until it lapses", error)

    def write(self) -> None:
        """Writes the ledgers and budgets that changed, and the new rows of the log."""
        for key in self._owed:
            self._budget(key)  # Gets back what it holds, also where nobody asks for it again.
        for (user, recommendation_id), impressions in self._reserved.items():
            write_reserved(self._transaction, user, recommendation_id, impressions)
        for user in self._changed_users & self._past.keys():
            write_past_ledger(self._transaction, user, self._past[user])
        settled = {key for _, key in self._settlements}
        for key in (self._changed_budgets | settled) & self._balances.keys():
            write_past_spending(self._transaction, key, self._balances[key])
        for user in self._changed_users:
            write_ledger(self._transaction, user, self._ledgers[user])
        for key in self._changed_budgets:
            spending = self._budgets[key]
            if spending is not None:
                write_spending(self._transaction, key, spending)
        for (user, key), change in self._settlements.items():
            settle_spending(self._transaction, key, change.spent_micros, change.freed, user)

    def _keep(self, user: str, ledger: Ledger) -> None:
        self._ledgers[user] = ledger
        self._changed_users.add(user)

    def _settle(self, user: str, payment: Payment, after: Spending, spent_micros: int) -> None:
        """Frees what a reservation held, and charges what its impression has spent."""
        self._budgets[payment.budget] = after
        if self._transaction.shared:
            change = self._settlements[user, payment.budget]
            change.spent_micros += spent_micros
            change.freed[lapse_second(payment.lapses_at_us)] += payment.cost_micros
        else:
            self._changed_budgets.add(payment.budget)

    def _note(
        self, user: str, recommendation_id: str, impressions: Sequence[ReservedImpression]
    ) -> None:
        """Adds reservations to the log, each with its campaign's day."""
        key = user, recommendation_id
        if key not in self._reserved:
            self._reserved[key] = read_reserved(self._transaction, user, recommendation_id)
        self._reserved[key] += [
            dataclasses.replace(one, day=day_of(self._transaction, one.item, one.at_us))
            for one in impressions
        ]

    def _ledger(self, user: str) -> Ledger:
        if user not in self._ledgers:
            kept = read_ledger(self._transaction, user)
            if len(kept) and not is_logged_ledger(self._transaction, user):
                self._past[user] = kept
            self._ledgers[user] = redated(kept, self._clock_us)
            if self._ledgers[user] is not kept:  # Written, so that it is redated once.
                self._changed_users.add(user)
                self._redate_log(user)
        return self._ledgers[user]

    def _redate_log(self, user: str) -> None:
        """Redates a user's logged reservations as `redated` does their entries."""
        for id_, one in scan_reserved(self._transaction, user):
            ahead_us = one.at_us - self._clock_us
            if ahead_us > AHEAD_US:
                lapses_at_us = one.lapses_at_us - ahead_us
                one = dataclasses.replace(one, at_us=self._clock_us, lapses_at_us=lapses_at_us)
            self._reserved.setdefault((user, id_), []).append(one)

    def _budget(self, key: int) -> Spending | None:
        if key not in self._budgets:
            try:
                spending = read_spending(self._transaction, key)
            except StateCorrupt as error:
                log.error("%s; until then it pays for nothing", error)
                self._budgets[key] = None
                return None
            if not is_logged_budget(self._transaction, key):
                self._balances[key] = spending.spent_micros
            spending = spending.until(self._clock_us)
            for hold in self._owed.get(key, ()):
                _, cost_micros, lapses_at_us = hold.payment
                spending = spending.without(cost_micros, lapses_at_us, hold.at_us)
                self._changed_budgets.add(key)
            self._budgets[key] = spending
        return self._budgets[key]
