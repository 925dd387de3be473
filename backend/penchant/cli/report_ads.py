"""`penchant ads report`: what campaigns reserved and were charged, beside the budgets."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.box import SIMPLE_HEAD
from rich.table import Table

from penchant.cli.client import counted
from penchant.cli.invocation import current_line
from penchant.cli.next_steps import command_line, next_steps
from penchant.cli.step_status import step_status
from penchant.domain.ad_accounts import AdAccount
from penchant.logs.reconciliation import AdsReport, AdsReportRequest, BudgetDifference, report_ads
from penchant.report.page import as_json, check_writable
from penchant.report.printable import printable
from penchant.report.terminal import Terminal, terminal
from penchant.system.durable_file import write_whole
from penchant.system.option_types import FLAT

_HEADINGS = ("reserved", "confirmed", "lapsed", "open", "reserved money", "charged")
_DEFAULTS = AdsReportRequest()


def report(
    *,
    request: Annotated[AdsReportRequest, FLAT] = _DEFAULTS,
    json: Annotated[
        Path | None, Parameter(group="Output", help="File to write all numbers to.")
    ] = None,
) -> int:
    """Shows what each campaign reserved and was charged, day by day, and compares the budgets.

    Days are those of the reservations, by the campaign's clock. Every reservation is confirmed,
    lapsed or open. Exit status 1: a budget says another sum than the log, or a log can't be read.
    """
    if json is not None:
        check_writable(json, "--json")
    console = terminal()
    with step_status(console, "Opening the store") as progress:
        found = report_ads(request, progress)
    _show(console, found)
    if json is not None:
        write_whole(json, as_json({"made_by": current_line(), **asdict(found)}))
        console.say(f"Numbers: {json}")
    if found.differences:
        rebuild = command_line("rebuild", "ledgers", "--store", request.store)
        next_steps(console, {rebuild: "ledgers and budgets as the log has them"})
    return int(bool(found.differences or found.unreadable))


def _show(console: Terminal, found: AdsReport) -> None:
    table = Table(box=SIMPLE_HEAD)
    for heading in ("campaign", "day"):
        table.add_column(heading, no_wrap=True)
    for heading in _HEADINGS:
        table.add_column(heading, justify="right")
    for row in found.days:
        names = printable(row.campaign or "(unknown)"), row.day or "earlier"
        table.add_row(*names, *_cells(row.account))
    table.add_section()
    table.add_row("all", "", *_cells(found.total))
    console.print(table)
    for difference in found.differences:
        console.say(printable(_line(difference)), "yellow")
    if found.unreadable:
        users = counted(found.unreadable, "user")
        console.say(f"The log of {users} can't be read, and is not in this report.", "yellow")
    if not found.differences:
        budgets = counted(found.budgets, "budget")
        console.say(f"Compared {budgets} with the log: no difference.")


def _cells(account: AdAccount) -> list[str]:
    counts = (account.reserved, account.confirmed, account.lapsed, account.open)
    money = (account.reserved_micros, account.charged_micros)
    return [*(f"{count:,}" for count in counts), *(f"{micros / 1e6:,.6f}" for micros in money)]


def _line(difference: BudgetDifference) -> str:
    names = ", ".join(difference.campaigns) or "a campaign that the log does not know"
    charged = f"{difference.charged_micros / 1e6:,.6f}"
    if difference.spent_micros is None:
        return f"The budget of {names} is lost or can't be read; the log charged {charged}."
    spent = f"{difference.spent_micros / 1e6:,.6f}"
    return f"The budget of {names} says {spent} spent; the log charged {charged}."
