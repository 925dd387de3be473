"""Results of the films demo: tables for the terminal, and all numbers ready for JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from demos.demo_tables import demo_table
from demos.films.film_metrics import BANDS, CURVE, BandComparison, K, LiveRankingQuality, compare
from demos.films.live_replay import LiveOutcome, UserStory
from penchant.cli.rank import reasons
from penchant.report.quantile import quantile
from penchant_sdk import Ranking

WHY_BOTH_FALL = (
    "Both fall from row to row: people first rate the films that everybody likes, and later ones "
    "are harder to guess. Read the ratio.\n"
)
"""Without this, the falling numbers look as if learning made rankings worse."""

_REASONS = 2


def quality_table(rows: Sequence[BandComparison], total: BandComparison) -> Table:
    """Recall and NDCG of Penchant and of popularity, by the number of earlier feedbacks."""
    table = demo_table("Films rated 4 or 5: found in the top ten just before?", show_footer=True)
    table.add_column("feedbacks\nbefore", footer="all")
    table.add_column("\nrankings", justify="right", footer=f"{total.penchant.rankings:,}")
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
            f"{row.penchant.rankings:,}",
            Text(_number(row.penchant.recall), style="bold"),
            _number(row.popularity.recall),
            _ratio(row.lift),
            Text(_number(row.penchant.ndcg), style="bold"),
            _number(row.popularity.ndcg),
        )
    return table


def story_table(story: UserStory, titles: Mapping[str, str]) -> Table:
    """One user's top ten before the first feedback and after the last."""
    before, after = story.before, story.after
    ratings = after.state_version - before.state_version
    table = demo_table(f"Top ten of user {story.user}, rated films left out")
    table.add_column("", justify="right", style="dim")
    first = "as a stranger" if before.cold_start else "before the live traffic"
    table.add_column(first, overflow="fold", ratio=3)
    table.add_column(f"after {ratings} ratings", overflow="fold", ratio=3, style="bold")
    table.add_column("because of (share of the score)", overflow="fold", ratio=4)
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
    """All numbers of the demo, ready for JSON.

    Args:
        outcome: results of the replay.
        facts: further entries, such as the seed.
        titles: titles of the films by id.
    """
    return {
        **facts,
        "bands": [_comparison(row) for row in compare(outcome.rankings, BANDS)],
        "curve": [_comparison(row) for row in compare(outcome.rankings, CURVE)],
        "latency_ms": {
            name: {
                "calls": len(seconds),
                "p50": round(quantile(seconds, 0.5) * 1e3, 6) if seconds else None,
                "p99": round(quantile(seconds, 0.99) * 1e3, 6) if seconds else None,
            }
            for name, seconds in (("rank", outcome.rank_s), ("feedback", outcome.feedback_s))
        },
        "story": _story(outcome.story, titles) if outcome.story else None,
    }


def _comparison(row: BandComparison) -> dict[str, Any]:
    return {
        "earlier_feedbacks": str(row.band),
        "rankings": row.penchant.rankings,
        "penchant": _quality(row.penchant),
        "popularity": _quality(row.popularity),
        "recall_ratio": _rounded(row.lift),
    }


def _quality(quality: LiveRankingQuality) -> dict[str, Any]:
    return {
        f"recall@{K}": _rounded(quality.recall),
        f"recall@{K}_standard_error": _rounded(quality.error),
        f"ndcg@{K}": _rounded(quality.ndcg),
    }


def _story(story: UserStory, titles: Mapping[str, str]) -> dict[str, Any]:
    def named(ranking: Ranking) -> list[str]:
        return [titles.get(id_, id_) for id_ in ranking.ids]

    return {"user": story.user, "before": named(story.before), "after": named(story.after)}


def _title(ranking: Ranking, place: int, titles: Mapping[str, str]) -> Text:
    if place >= len(ranking.items):
        return Text("")
    return Text(titles.get(ranking.ids[place], ranking.ids[place]))


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _ratio(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f} ×"


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)
