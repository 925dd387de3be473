"""The ledgers and budgets of one transaction: each read once, and written once if it changed."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from penchant.domain.errors import StateCorrupt
from penchant.domain.frequency_caps import NOT_SHOWN, PAYMENT, Ledger, confirm, grant, redated
from penchant.domain.limits import AHEAD_US
from penchant.domain.reservations import Reservations, ReservedImpression, ReserveRequest
from penchant.domain.spending import Spending
from penchant.domain.types import Event, Receipt
from penchant.domain.window import digest64
from penchant.service.campaign_costs import day_of
from penchant.store.base import Transaction
from penchant.store.ledgers import (
    is_logged_budget,
    is_logged_ledger,
    read_ledger,
    read_spending,
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


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a confirmed reservation changes."""

    user: str
    ledger: Ledger
    """The user's, after it."""
    budgets: dict[int, Spending]
    """The budget that pays, if any, after it, by the digest of its key."""
    receipt: Receipt


class ReservationLedger:
    """Ledgers and budgets with the changes of one batch, which its later requests see."""

    def __init__(self, transaction: Transaction, clock_us: int) -> None:
        """Reads nothing yet; `clock_us` is the server's time, in microseconds since 1970."""
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
            self._keep(request.user, granted.ledger, granted.budgets)
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
        after, payments, reserved_at_us = confirmed
        paid = {
            key: spending.confirm(cost_micros, lapses_at_us)
            for key, cost_micros, lapses_at_us in payments
            if (spending := self._budget(key)) is not None
        }
        budget = payments[0][0] if payments else 0
        receipt = Receipt(budget, sum(cost for _, cost, _ in payments), reserved_at_us)
        return Confirmation(event.user, after, paid, receipt)

    def confirm(self, confirmation: Confirmation) -> Receipt:
        """Confirms the reservation; the impression's row in the log must keep the receipt."""
        self._keep(confirmation.user, confirmation.ledger, confirmation.budgets)
        return confirmation.receipt

    def give_back(self, user: str) -> None:
        """Frees what a user's unconfirmed reservations hold of budgets.

        A ledger that can't be read keeps it until the reservations lapse.
        """
        try:
            ledger = self._ledger(user)
            paid = ledger[(ledger["budget"] != 0) & (ledger["shown_at_us"] == NOT_SHOWN)]
            for key, cost_micros, lapses_at_us in paid[PAYMENT].tolist():
                spending = self._budget(key)
                if spending is not None:
                    self._budgets[key] = spending.release(cost_micros, lapses_at_us)
                    self._changed_budgets.add(key)
        except StateCorrupt as error:
            log.error("%s; what a forgotten user had reserved is held until it lapses", error)

    def write(self) -> None:
        """Writes the ledgers and budgets that changed, and the new rows of the log."""
        for (user, recommendation_id), impressions in self._reserved.items():
            write_reserved(self._transaction, user, recommendation_id, impressions)
        for user in self._changed_users & self._past.keys():
            write_past_ledger(self._transaction, user, self._past[user])
        for key in self._changed_budgets & self._balances.keys():
            write_past_spending(self._transaction, key, self._balances[key])
        for user in self._changed_users:
            write_ledger(self._transaction, user, self._ledgers[user])
        for key in self._changed_budgets:
            spending = self._budgets[key]
            if spending is not None:
                write_spending(self._transaction, key, spending)

    def _keep(self, user: str, ledger: Ledger, budgets: dict[int, Spending]) -> None:
        self._ledgers[user] = ledger
        self._changed_users.add(user)
        self._budgets |= budgets
        self._changed_budgets |= budgets.keys()

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
            self._budgets[key] = spending.until(self._clock_us)
        return self._budgets[key]
