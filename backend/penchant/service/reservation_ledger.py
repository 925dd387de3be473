"""The ledgers and budgets of one transaction: each read once, and written once if it changed."""

from __future__ import annotations

import logging

from penchant.domain.errors import StateCorrupt
from penchant.domain.frequency_caps import NOT_SHOWN, PAYMENT, Ledger, confirm, grant, redated
from penchant.domain.reservations import Reservations, ReserveRequest
from penchant.domain.spending import Spending
from penchant.domain.types import Event
from penchant.domain.window import digest64
from penchant.store.base import Transaction
from penchant.store.ledgers import read_ledger, read_spending, write_ledger, write_spending

log = logging.getLogger("penchant")


class ReservationLedger:
    """Ledgers and budgets with the changes of one batch, which its later requests see."""

    def __init__(self, transaction: Transaction, clock_us: int) -> None:
        """Reads nothing yet; `clock_us` is the server's time, in microseconds since 1970."""
        self._transaction = transaction
        self._clock_us = clock_us
        self._ledgers: dict[str, Ledger] = {}
        self._budgets: dict[int, Spending] = {}
        self._changed_users: set[str] = set()
        self._changed_budgets: set[int] = set()

    def reserve(self, request: ReserveRequest, now_us: int) -> Reservations:
        """Reserves as much as caps and budgets allow; a request that fails changes nothing.

        Raises:
            StateCorrupt, StateTooNew: the ledger or a budget cannot be read.
        """
        ledger = self._ledger(request.user)
        keys = {digest64(option.budget.key) for option in request.options if option.budget}
        granted = grant(ledger, {key: self._budget(key) for key in keys}, request, now_us)
        if granted.ledger is not ledger:
            self._keep(request.user, granted.ledger, granted.budgets)
        return granted.reply

    def confirm(self, event: Event) -> None:
        """Confirms the reservation that an impression answers, if there is an open one.

        Cost: one read of the user's ledger, for an event that names a recommendation.

        Raises:
            StateCorrupt, StateTooNew: the ledger or the budget cannot be read.
        """
        if not event.recommendation_id:
            return
        ledger = self._ledger(event.user)
        confirmed = confirm(ledger, event.recommendation_id, event.item, event.occurred_at_us)
        if confirmed is not None:
            after, payments = confirmed
            paid = {
                key: self._budget(key).confirm(cost_micros, lapses_at_us)
                for key, cost_micros, lapses_at_us in payments
            }
            self._keep(event.user, after, paid)

    def give_back(self, user: str) -> None:
        """Frees what a user's unconfirmed reservations hold of budgets.

        A ledger or a budget that can't be read keeps it until the reservations lapse.
        """
        try:
            ledger = self._ledger(user)
            paid = ledger[(ledger["budget"] != 0) & (ledger["shown_at_us"] == NOT_SHOWN)]
            for key, cost_micros, lapses_at_us in paid[PAYMENT].tolist():
                self._budgets[key] = self._budget(key).release(cost_micros, lapses_at_us)
                self._changed_budgets.add(key)
        except StateCorrupt as error:
            log.error("%s; what a forgotten user had reserved is held until it lapses", error)

    def write(self) -> None:
        """Writes the ledgers and budgets that changed."""
        for user in self._changed_users:
            write_ledger(self._transaction, user, self._ledgers[user])
        for key in self._changed_budgets:
            write_spending(self._transaction, key, self._budgets[key])

    def _keep(self, user: str, ledger: Ledger, budgets: dict[int, Spending]) -> None:
        self._ledgers[user] = ledger
        self._changed_users.add(user)
        self._budgets |= budgets
        self._changed_budgets |= budgets.keys()

    def _ledger(self, user: str) -> Ledger:
        if user not in self._ledgers:
            kept = read_ledger(self._transaction, user)
            self._ledgers[user] = redated(kept, self._clock_us)
            if self._ledgers[user] is not kept:  # Written, so that it is redated once.
                self._changed_users.add(user)
        return self._ledgers[user]

    def _budget(self, key: int) -> Spending:
        if key not in self._budgets:
            self._budgets[key] = read_spending(self._transaction, key).until(self._clock_us)
        return self._budgets[key]
