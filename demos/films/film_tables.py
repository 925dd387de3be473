"""What the demo says at its end: tables for people, one JSON file for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from demos.films.film_metrics import (
    BANDS,
    FINE_BANDS,
    BandComparison,
    K,
    TrialQuality,
    compare,
    percentile,
)
from demos.films.live_replay import LiveOutcome, Story
from penchant.cli.rank import reasons
from penchant_sdk import Ranking

_REASONS = 2


def quality_table(rows: Sequence[BandComparison], total: BandComparison) -> Table:
    """Recall and NDCG of both rankings by the number of earlier feedbacks."""
    table = _table("Films rated 4 or 5, found in the top ten before", show_footer=True)
    table.add_column("feedbacks\nbefore", footer="all")
    table.add_column("\nrankings", justify="right", footer=f"{total.penchant.trials:,}")
    for name, ours, theirs in (
        (f"recall@{K}", total.penchant.recall, total.popularity.recall),
        (f"NDCG@{K}", total.penchant.ndcg, total.popularity.ndcg),
    ):
        table.add_column(f"{name}\nPenchant", justify="right", footer=_number(ours))
        table.add_column(f"{name}\npopularity", justify="right", footer=_number(theirs))
        if name.startswith("recall"):
            table.add_column("\nratio", justify="right", footer=_ratio(total.lift))
    for row in rows:
        table.add_row(
            str(row.band),
            f"{row.penchant.trials:,}",
            Text(_number(row.penchant.recall), style="bold"),
            _number(row.popularity.recall),
            _ratio(row.lift),
            Text(_number(row.penchant.ndcg), style="bold"),
            _number(row.popularity.ndcg),
        )
    return table


def latency_table(outcome: LiveOutcome) -> Table:
    """The latencies of both calls, as this client saw them."""
    table = _table("Latency, one call at a time")
    table.add_column("call")
    for name in ("calls", "p50 ms", "p99 ms"):
        table.add_column(name, justify="right")
    for name, seconds in (
        ("rank (top 10 of the catalog)", outcome.rank_s),
        ("feedback (one event, on disk)", outcome.feedback_s),
    ):
        cells = [f"{percentile(seconds, share) * 1e3:.2f}" for share in (0.5, 0.99)]
        table.add_row(name, f"{len(seconds):,}", *cells)
    return table


def story_table(story: Story, titles: Mapping[str, str]) -> Table:
    """One user's top ten before the first feedback and after the last."""
    before, after = story.before, story.after
    ratings = after.state_version - before.state_version
    table = _table(f"The top ten of user {story.user}, without what was rated")
    table.add_column("", justify="right", style="dim")
    first = "as a stranger" if before.cold_start else "before the live traffic"
    table.add_column(first, overflow="fold", ratio=3)
    table.add_column(f"after {ratings} ratings", overflow="fold", ratio=3, style="bold")
    table.add_column("because of, with its share in the score", overflow="fold", ratio=4)
    for place in range(max(len(before.items), len(after.items))):
        why = after.items[place].explanation if place < len(after.items) else None
        table.add_row(
            str(place + 1),
            _title(before, place, titles),
            _title(after, place, titles),
            reasons(why, titles, _REASONS) if why else "",
        )
    return table


def results(
    outcome: LiveOutcome, facts: Mapping[str, Any], titles: Mapping[str, str]
) -> dict[str, Any]:
    """All numbers, ready for JSON; what is not a number is null."""
    return {
        **facts,
        "bands": [_comparison(row) for row in compare(outcome.trials, BANDS)],
        "curve": [_comparison(row) for row in compare(outcome.trials, FINE_BANDS)],
        "latency_ms": {
            name: {
                "calls": len(seconds),
                "p50": _plain(percentile(seconds, 0.5) * 1e3),
                "p99": _plain(percentile(seconds, 0.99) * 1e3),
            }
            for name, seconds in (("rank", outcome.rank_s), ("feedback", outcome.feedback_s))
        },
        "story": _story(outcome.story, titles) if outcome.story else None,
    }


def _comparison(row: BandComparison) -> dict[str, Any]:
    return {
        "earlier_feedbacks": str(row.band),
        "rankings": row.penchant.trials,
        "penchant": _quality(row.penchant),
        "popularity": _quality(row.popularity),
        "recall_ratio": _plain(row.lift),
    }


def _quality(quality: TrialQuality) -> dict[str, Any]:
    return {
        f"recall@{K}": _plain(quality.recall),
        f"recall@{K}_standard_error": _plain(quality.error),
        f"ndcg@{K}": _plain(quality.ndcg),
    }


def _story(story: Story, titles: Mapping[str, str]) -> dict[str, Any]:
    def named(ranking: Ranking) -> list[str]:
        return [titles.get(id_, id_) for id_ in ranking.ids]

    return {"user": story.user, "before": named(story.before), "after": named(story.after)}


def _title(ranking: Ranking, place: int, titles: Mapping[str, str]) -> Text:
    if place >= len(ranking.items):
        return Text("")
    return Text(titles.get(ranking.ids[place], ranking.ids[place]))


def _table(title: str, *, show_footer: bool = False) -> Table:
    return Table(
        title=Text(title, style="bold"),
        title_justify="left",
        box=SIMPLE,
        padding=(0, 1, 0, 0),
        show_footer=show_footer,
    )


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _ratio(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f} ×"


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)
