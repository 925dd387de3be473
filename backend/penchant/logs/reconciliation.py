"""A reconciliation of ads as one job: what campaigns reserved and paid, beside the budgets."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import KW_ONLY, dataclass
from typing import Annotated

from cyclopts import Parameter

from penchant.domain.ad_accounts import AdAccount, AdAccountKey
from penchant.domain.errors import StateCorrupt
from penchant.launch.model_parameters import DEFAULT_STORE
from penchant.launch.server_store import ServerSettings, open_server_store
from penchant.service.clock import system_clock
from penchant.service.reservation_history import read_history
from penchant.store.base import Snapshot
from penchant.store.ledgers import is_logged_budget, scan_budgets
from penchant.store.reservation_log import scan_balances, scan_reserving_users
from penchant.system.option_types import STORE_IN_USE, Repeated
from penchant.system.progress import Progress, no_progress


@dataclass(frozen=True, slots=True)
class AdsReportRequest:
    """The store to read, and the campaigns to report."""

    _: KW_ONLY
    store: Annotated[str, STORE_IN_USE] = DEFAULT_STORE
    """Store of the server: lmdb:DIRECTORY or valkey://…/NAMESPACE."""
    campaign: Annotated[
        Repeated, Parameter(metavar="ID", show_default=lambda _: "every campaign")
    ] = ()
    """Campaign to report; repeatable."""
    settings: ServerSettings = ()
    """A setting, if it is not the one that the server keeps in the store; repeatable."""


@dataclass(frozen=True, slots=True)
class CampaignDayAccount:
    """What a campaign reserved and was charged on one day by its clock."""

    campaign: str
    day: str
    """Day of the reservation, as in `2026-03-29`; empty: before the log held it."""
    account: AdAccount


@dataclass(frozen=True, slots=True)
class BudgetDifference:
    """A budget that says another sum than the log."""

    campaigns: tuple[str, ...]
    """Campaigns that it pays; empty: the log knows none."""
    spent_micros: int | None
    """Spent according to the budget; None: it can't be read."""
    charged_micros: int
    """Charged according to the log."""


@dataclass(frozen=True, slots=True)
class AdsReport:
    """The accounts of all campaigns, and how they agree with the budgets."""

    days: tuple[CampaignDayAccount, ...]
    """By campaign, then day."""
    total: AdAccount
    differences: tuple[BudgetDifference, ...]
    """Budgets of these campaigns that do not agree with the log."""
    budgets: int
    """Budgets that were compared."""
    unreadable: int
    """Users whose log can't be read; what they reserved is not in the report."""


def report_ads(request: AdsReportRequest, progress: Progress = no_progress) -> AdsReport:
    """Sums up what the log says of every campaign, and compares it with the budgets.

    Safe beside a running server: all of it is as of one moment. Cost: one pass over the logs of
    all users with reservations.

    Raises:
        ConfigError: there is no store, or a setting is wrong.
        LaunchError: the store's address or a setting can't be read.
    """
    progress("Reading the log", 0)
    with (
        open_server_store(request.store, request.settings) as server,
        server.store.snapshot() as snapshot,
    ):
        return ads_report(snapshot, system_clock(), frozenset(request.campaign))


def ads_report(
    snapshot: Snapshot, now_us: int, campaigns: frozenset[str] = frozenset()
) -> AdsReport:
    """The report of a store as of a moment; without campaigns, of all."""
    accounts, unreadable = _accounts(snapshot, now_us)
    charged: defaultdict[int, int] = defaultdict(int)
    payers: defaultdict[int, set[str]] = defaultdict(set)
    days: defaultdict[tuple[str, str], AdAccount] = defaultdict(AdAccount)
    for key, account in accounts.items():
        charged[key.budget] += account.charged_micros
        if key.campaign:
            payers[key.budget].add(key.campaign)
    for key, account in accounts.items():
        # Of what older releases charged, only the budget is known.
        campaign = key.campaign or next(iter(sorted(payers[key.budget])), "")
        days[campaign, key.day] += account
    rows = tuple(
        CampaignDayAccount(campaign, day, account)
        for (campaign, day), account in sorted(days.items())
        if not campaigns or campaign in campaigns
    )
    kept = dict(scan_budgets(snapshot))
    differences = []
    compared = 0
    for budget in sorted(kept.keys() | charged.keys() - {0}):
        if (campaigns and not campaigns & payers[budget]) or not is_logged_budget(snapshot, budget):
            continue
        compared += 1
        spending = kept.get(budget)
        spent = None if spending is None else spending.spent_micros
        if spent != charged[budget] and not (budget not in kept and not charged[budget]):
            names = tuple(sorted(payers[budget]))
            differences.append(BudgetDifference(names, spent, charged[budget]))
    total = sum((row.account for row in rows), AdAccount())
    return AdsReport(rows, total, tuple(differences), compared, unreadable)


def _accounts(snapshot: Snapshot, now_us: int) -> tuple[dict[AdAccountKey, AdAccount], int]:
    """All accounts, and the number of users whose log can't be read."""
    found: defaultdict[AdAccountKey, AdAccount] = defaultdict(AdAccount)
    unreadable = 0
    for key, balance in scan_balances(snapshot):
        if balance is not None:  # Else the budgets differ from the log, which the report says.
            found[key] += balance
    for user in scan_reserving_users(snapshot):
        try:
            history = read_history(snapshot, user)
        except StateCorrupt:
            unreadable += 1
            continue
        for key, account in history.accounts(now_us).items():
            found[key] += account
    return dict(found), unreadable
