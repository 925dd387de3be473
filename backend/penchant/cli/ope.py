"""`penchant ope`: what a candidate policy would have earned, estimated from logged impressions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from penchant.domain.errors import ConfigError
from penchant.logs.open_table import open_table
from penchant.report.page import as_json, check_writable
from penchant.system.durable_file import write_whole

if TYPE_CHECKING:
    from penchant.evaluation.ope.intervals import Estimate
    from penchant.evaluation.ope.off_policy import Outcome

_COLUMNS = "Columns"
_OUTPUT = "Output"


def _column(of: str, none: str = "") -> Any:
    return typer.Option(
        help=f"Column of {of}.", rich_help_panel=_COLUMNS, show_default=none or True
    )


def ope(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Impressions.")],
    policy: Annotated[
        str, typer.Option(help="The candidate: uniform, popularity or softmax.", show_default=False)
    ] = "",
    action_probabilities: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="The candidate: file of action, probability (and position, impression).",
        ),
    ] = None,
    candidate_column: Annotated[
        str, _column("the candidate's probability of the action shown", "none")
    ] = "",
    item_column: Annotated[str, _column("the item or action shown")] = "item",
    reward_column: Annotated[str, _column("the reward")] = "reward",
    propensity_column: Annotated[
        str, _column("the logging policy's probability of the action")
    ] = "propensity",
    position_column: Annotated[str, _column("the slot", "none")] = "",
    user_column: Annotated[str, _column("the user, for intervals", "none")] = "",
    impression_column: Annotated[str, _column("the impression's id", "none")] = "",
    context: Annotated[
        list[str] | None,
        typer.Option(help="Column for the reward model; repeatable.", rich_help_panel=_COLUMNS),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(help="csv, tsv, jsonl or parquet.", show_default="by the file's name"),
    ] = None,
    clip: Annotated[
        float | None, typer.Option(help="Largest weight of IPS and SNIPS.", show_default="none")
    ] = None,
    tau: Annotated[float, typer.Option(help="Switch-DR leaves larger weights to the model.")] = 10,
    temperature: Annotated[float, typer.Option(help="Of softmax, in units of the reward.")] = 0.01,
    folds: Annotated[int, typer.Option(min=2, help="Of the cross-fitted reward model.")] = 5,
    seed: Annotated[int, typer.Option(help="Of the folds.")] = 1,
    json: Annotated[
        Path | None, typer.Option(help="Write all numbers here.", rich_help_panel=_OUTPUT)
    ] = None,
) -> None:
    """What a candidate policy would have earned, estimated from another policy's log."""
    from penchant.evaluation.ope import policies
    from penchant.evaluation.ope.candidates import read_probabilities
    from penchant.evaluation.ope.logged_impressions import ImpressionColumns, read_impressions
    from penchant.evaluation.ope.off_policy import Settings, evaluate

    settings = Settings(clip=clip, tau=tau)
    if (bool(policy), action_probabilities is not None, bool(candidate_column)).count(True) != 1:
        raise ConfigError(
            "candidate: name one of --policy, --action-probabilities and --candidate-column"
        )
    if json is not None:
        check_writable(json, "--json")
    columns = ImpressionColumns(
        action=item_column,
        reward=reward_column,
        propensity=propensity_column,
        position=position_column,
        user=user_column,
        candidate=candidate_column,
        impression=impression_column,
        context=tuple(context or ()),
    )
    with closing(open_table(file, format)) as table:
        log = read_impressions(table, columns)
    fitting = policies.Fitting(folds, seed, temperature)
    if policy:
        candidate, q = policies.from_policy(log, policy, fitting)
    elif action_probabilities is not None:
        with closing(open_table(action_probabilities)) as table:
            found = read_probabilities(table)
        log, candidate, q = policies.from_file(log, found, fitting)
    else:
        candidate, q = policies.from_column(log), None
    outcome = evaluate(log, candidate, q, settings)
    console = Console()
    _show(console, outcome, log.left_out)
    if json is not None:
        write_whole(json, as_json(asdict(outcome) | {"left_out_because": dict(log.left_out)}))
        console.print(Text(f"Numbers: {json}"), soft_wrap=True)
    _what_next(console, outcome, json)


def _show(console: Console, outcome: Outcome, left_out: Counter[str]) -> None:
    _table(console, f"Candidate {outcome.candidate}", outcome.logging, outcome.estimates)
    for name, estimates in outcome.by_position.items():
        others = {key: one for key, one in estimates.items() if key != "logging"}
        _table(console, f"Position {name}", estimates["logging"], others)
    seen = outcome.diagnostics
    lines = [
        f"Intervals of 95 %, clustered by {outcome.clustered_by}; {seen.rows} impressions, "
        f"{seen.nonzero_rewards} with a reward that counts.",
        f"Effective sample size {seen.effective_sample_size:.0f} "
        f"({seen.effective_sample_size / seen.rows:.1%}); the largest 1 % of the weights hold "
        f"{seen.top_percent_share:.1%}; mean weight {seen.mean_weight:.3f}, largest "
        f"{seen.largest_weight:.3g}.",
        *(
            ["DM's interval leaves out the error of its model."]
            if "DM" in outcome.estimates
            else []
        ),
        *(f"Warning: {warning}" for warning in outcome.warnings),
        *(f"  {count} rows: {reason}" for reason, count in left_out.most_common(3)),
    ]
    console.print(Text("\n".join(lines)), soft_wrap=True)


def _table(
    console: Console, title: str, logging: Estimate, estimates: Mapping[str, Estimate]
) -> None:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    table.add_column("estimator")
    for heading in ("value", "95 % interval", "ratio to logged"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, one in {"logging policy": logging, **estimates}.items():
        ratio = f"{one.value / logging.value:.3f}" if logging.value else "-"
        table.add_row(name, f"{one.value:.5f}", f"{one.low:.5f} to {one.high:.5f}", ratio)
    console.print(table)


def _what_next(console: Console, outcome: Outcome, json: Path | None) -> None:
    lines = ["Try next:"]
    if outcome.warnings:
        lines.append("  more exploration in the log  the warnings above say what is missing")
    if "DR" not in outcome.estimates:
        lines.append("  --action-probabilities FILE  DM, DR and switch-DR too")
    else:
        lines.append("  --context COLUMN             a better reward model: DR narrows")
    if outcome.clustered_by == "row":
        lines.append("  --user-column COLUMN         intervals that know who saw what")
    if json is None:
        lines.append("  --json FILE                  all numbers")
    lines.append("  an A/B test                  if an interval lies above the logging policy's")
    console.print(Text("\n".join(lines)), soft_wrap=True)
