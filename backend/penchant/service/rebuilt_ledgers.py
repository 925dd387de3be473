"""Rebuilds the ledgers of reservations and the budgets from the logs, beside a running server.

A user's ledger is read and replaced in one transaction. A budget belongs to all users, so it is
compared with the logs in one snapshot, and what differs is then added to whatever the budget has
become: each change of a budget that comes in between is in the logs as well, in the same
transaction, and leaves the difference as it is. Where nothing differs, nothing is written.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from penchant.domain.errors import StateCorrupt
from penchant.domain.frequency_caps import NOT_SHOWN, PAYMENT, Ledger, prune
from penchant.domain.spending import BUCKET_US, RECENT_BUCKETS, Spending, lapse_second
from penchant.domain.window import digest64
from penchant.service.reservation_history import read_history
from penchant.store.base import Snapshot, Store, Transaction
from penchant.store.conflict_retries import in_transaction
from penchant.store.ledgers import (
    delete_ledger,
    is_logged_budget,
    is_logged_ledger,
    read_ledger,
    read_spending,
    scan_budgets,
    write_ledger,
    write_spending,
)
from penchant.store.reservation_log import scan_balances, scan_reserving_users
from penchant.store.short_transactions import in_short_transactions
from penchant.system.progress import Progress, no_progress

log = logging.getLogger("penchant")


@dataclass(slots=True)
class RebuiltLedgers:
    """What a rebuild of ledgers and budgets went through."""

    users: int = 0
    """Users whose ledgers were compared with the log."""
    corrected_users: int = 0
    """Those whose ledgers differed, and were replaced."""
    budgets: int = 0
    corrected_budgets: int = 0
    unreadable: int = 0
    """Users whose log can't be read; their ledgers stay, and no budget is lowered."""


@dataclass(slots=True)
class BudgetLog:
    """What the logs say about one budget."""

    spent_micros: int = 0
    held: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    """Micros of reservations that were not shown, by the second in which they lapse."""
    granted: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    """Micros of all reservations, by their times in whole `BUCKET_US`."""
    latest_us: int = 0
    """Time of the latest reservation."""


def rebuild_ledgers(
    store: Store, clock_us: int, progress: Progress = no_progress
) -> RebuiltLedgers:
    """Makes every ledger and every budget equal to what the logs say.

    Ledgers and budgets that only releases without a log of reservations have touched stay as they
    are.

    Args:
        store: the server's, which may be running.
        clock_us: the time, in microseconds since 1970.
        progress: called as the two steps go on.
    """
    made = RebuiltLedgers()
    with store.snapshot() as snapshot:
        users = scan_reserving_users(snapshot)

    def ledger(transaction: Transaction, user: str) -> None:
        if not is_logged_ledger(transaction, user):
            return
        try:
            expected = read_history(transaction, user).ledger(clock_us)
        except StateCorrupt as error:
            log.error("the log of a user can't be read (%s); the ledger stays as it is", error)
            made.unreadable += 1
            return
        made.users += 1
        if not _agrees(transaction, user, expected):
            made.corrected_users += 1
            if len(expected):
                write_ledger(transaction, user, expected)
            else:
                delete_ledger(transaction, user)

    in_short_transactions(store, users, ledger, progress, "Rebuilding ledgers")
    if store.shared:
        budgets = in_transaction(store, partial(_correct_beside_others, clock_us=clock_us))
        made.budgets, made.corrected_budgets = budgets
        return made
    with store.snapshot() as snapshot:
        corrections = _corrections(snapshot, clock_us)
    made.budgets = len(corrections)

    def budget(transaction: Transaction, correction: tuple[int, Spending]) -> None:
        made.corrected_budgets += 1
        write_spending(transaction, correction[0], _corrected(transaction, *correction))

    differing = [(key, one) for key, one in corrections.items() if one is not None]
    in_short_transactions(store, differing, budget, progress, "Rebuilding budgets")
    return made


def _correct_beside_others(transaction: Transaction, clock_us: int) -> tuple[int, int]:
    """Corrects all budgets where other servers write; returns their number, and how many differed.

    Payments that wait to be charged are charged before the commit, which fails if a budget is not
    what was read first. A hold whose reservation is being written is in no log yet, so that none is
    taken away: what is held too much lapses.
    """
    corrections = _corrections(transaction, clock_us)
    transaction.settle()
    corrected = 0
    for key, one in corrections.items():
        if one is not None:
            held = {second: micros for second, micros in one.held.items() if micros > 0}
            lacking = Spending(one.spent_micros, held, one.granted)
            if not _is_empty(lacking):
                write_spending(transaction, key, _corrected(transaction, key, lacking))
                corrected += 1
    return len(corrections), corrected


def _logged_budgets(snapshot: Snapshot, clock_us: int) -> tuple[dict[int, BudgetLog], bool]:
    """What the logs say about every budget, by the digest of its key, and whether it is all.

    Rows that can't be read are left out, and said in the log.
    """
    found: defaultdict[int, BudgetLog] = defaultdict(BudgetLog)
    whole = True
    for key, balance in scan_balances(snapshot):
        if balance is None:
            log.error("a balance of a campaign can't be read; its charges are not counted")
            whole = False
        else:
            found[key.budget].spent_micros += balance.charged_micros
    for user in scan_reserving_users(snapshot):
        try:
            history = read_history(snapshot, user)
        except StateCorrupt as error:
            log.error("the log of a user can't be read (%s); its charges are not counted", error)
            whole = False
            continue
        for key, account in history.accounts(clock_us).items():
            found[key.budget].spent_micros += account.charged_micros
        for one in history.reserved:
            if one.impression.budget:
                logged = found[digest64(one.impression.budget)]
                logged.granted[one.impression.at_us // BUCKET_US] += one.impression.cost_micros
                logged.latest_us = max(logged.latest_us, one.impression.at_us)
        ledger = history.ledger(clock_us)
        paying = ledger[ledger["budget"] != 0]
        for digest, at_us in paying[["budget", "at_us"]].tolist():
            found[digest].latest_us = max(found[digest].latest_us, at_us)
        unseen = paying[paying["shown_at_us"] == NOT_SHOWN]
        for digest, cost_micros, lapses_at_us in unseen[PAYMENT].tolist():
            found[digest].held[lapse_second(lapses_at_us)] += cost_micros
    found.pop(0, None)  # Free impressions.
    return dict(found), whole


def _corrections(snapshot: Snapshot, clock_us: int) -> dict[int, Spending | None]:
    """What every budget lacks, as differences that may be negative; None: it is right.

    No budget is lowered where a part of the logs can't be read.
    """
    kept = dict(scan_budgets(snapshot))  # First: see `_correct_beside_others`.
    logged, whole = _logged_budgets(snapshot, clock_us)
    found: dict[int, Spending | None] = {}
    for key in sorted(logged.keys() | kept.keys()):
        if not is_logged_budget(snapshot, key):
            continue
        must, now = logged.get(key) or BudgetLog(), kept.get(key) or Spending()
        spent = must.spent_micros - now.spent_micros
        held = {
            second: must.held.get(second, 0) - now.held.get(second, 0)
            for second in must.held.keys() | now.held.keys()
            if second * 1_000_000 > must.latest_us
        }
        correction = Spending(
            spent if whole else max(spent, 0),
            {second: micros for second, micros in held.items() if micros},
            _missing(must.granted, now.granted, must.latest_us // BUCKET_US),
        )
        found[key] = None if kept.get(key, now) and _is_empty(correction) else correction
    return found


def _missing(logged: Mapping[int, int], kept: Mapping[int, int], latest: int) -> dict[int, int]:
    """Recent grants that a budget lacks; those of forgotten users stay in it."""
    return {
        at: micros - kept.get(at, 0)
        for at, micros in logged.items()
        if at > latest - RECENT_BUCKETS and micros > kept.get(at, 0)
    }


def _is_empty(correction: Spending) -> bool:
    return not (correction.spent_micros or correction.held or correction.granted)


def _corrected(snapshot: Snapshot, key: int, correction: Spending) -> Spending:
    try:
        now = read_spending(snapshot, key)
    except StateCorrupt:
        now = Spending()  # Nobody has changed it since: nobody else can read it either.
    held = {
        second: now.held.get(second, 0) + correction.held.get(second, 0)
        for second in now.held.keys() | correction.held.keys()
    }
    left = {second: micros for second, micros in held.items() if micros > 0}
    granted = Counter(now.granted) + Counter(correction.granted)
    return Spending(max(0, now.spent_micros + correction.spent_micros), left, granted)


def _agrees(snapshot: Snapshot, user: str, expected: Ledger) -> bool:
    """Whether a live ledger differs at most by entries that its next grant drops."""
    try:
        live = read_ledger(snapshot, user)
    except StateCorrupt:
        return False
    kept = prune(live, int(live["at_us"].max(initial=0)))
    return bool(np.array_equal(np.sort(kept), np.sort(expected)))
