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

HOW_TO_READ = (
    "First clock: every event moves its user. Both: the middle clock also refits vectors, "
    "neighbours and weights to everybody's ratings, as `penchant serve` does by itself. All fall "
    "from row to row: people first rate the films that everybody likes, and later ones are harder "
    "to guess. Read the ratio of both clocks to popularity.\n"
)
"""What the clocks are; and the falling numbers look as if learning made rankings worse."""

_REASONS = 2


def quality_table(rows: Sequence[BandComparison], total: BandComparison) -> Table:
    """Recall and NDCG of popularity and of Penchant, without and with the middle clock.

    By the number of earlier feedbacks of the user.
    """
    table = demo_table("Films rated 4 or 5: found in the top ten just before?", show_footer=True)
    table.add_column("\nevents\nbefore", footer="all")
    table.add_column("\n\nrankings", justify="right", footer=f"{total.penchant.rankings:,}")
    for heading, recall in (
        ("popu-\nlarity", total.popularity.recall),
        ("first\nclock", total.first_clock.recall),
        ("both\nclocks", total.penchant.recall),
    ):
        table.add_column(f"recall@{K}\n{heading}", justify="right", footer=_number(recall))
    table.add_column("\n\nratio", justify="right", footer=_ratio(total.lift))
    for heading, ndcg in (
        ("popu-\nlarity", total.popularity.ndcg),
        ("both\nclocks", total.penchant.ndcg),
    ):
        table.add_column(f"NDCG@{K}\n{heading}", justify="right", footer=_number(ndcg))
    for row in rows:
        table.add_row(
            str(row.band),
            f"{row.penchant.rankings:,}",
            _number(row.popularity.recall),
            _number(row.first_clock.recall),
            Text(_number(row.penchant.recall), style="bold"),
            _ratio(row.lift),
            _number(row.popularity.ndcg),
            Text(_number(row.penchant.ndcg), style="bold"),
        )
    return table


def story_table(story: UserStory, titles: Mapping[str, str]) -> Table:
    """One user's top ten by the first clock alone, and by both, with the reasons."""
    after = story.after
    ratings = after.state_version - story.before.state_version
    table = demo_table(f"Top ten of user {story.user} after {ratings} ratings, those left out")
    table.add_column("", justify="right", style="dim")
    table.add_column("first clock alone", overflow="fold", ratio=3)
    table.add_column("both clocks", overflow="fold", ratio=3, style="bold")
    table.add_column("because of (share of the score)", overflow="fold", ratio=4)
    because = after.reasons(_REASONS)
    for place in range(max(len(story.first_clock), len(after.items))):
        table.add_row(
            str(place + 1),
            _title(story.first_clock, place, titles),
            _title(after.ids, place, titles),
            reasons(because[place], titles) if place < len(because) else "",
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
        "first_clock": _quality(row.first_clock),
        "recall_ratio": _rounded(row.lift),
    }


def _quality(quality: LiveRankingQuality) -> dict[str, Any]:
    return {
        f"recall@{K}": _rounded(quality.recall),
        f"recall@{K}_standard_error": _rounded(quality.error),
        f"ndcg@{K}": _rounded(quality.ndcg),
    }


def _story(story: UserStory, titles: Mapping[str, str]) -> dict[str, Any]:
    def named(ids: Sequence[str]) -> list[str]:
        return [titles.get(id_, id_) for id_ in ids]

    return {
        "user": story.user,
        "before": named(story.before.ids),
        "first_clock": named(story.first_clock),
        "after": named(story.after.ids),
    }


def _title(ids: Sequence[str], place: int, titles: Mapping[str, str]) -> Text:
    return Text(titles.get(ids[place], ids[place]) if place < len(ids) else "")


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _ratio(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f} ×"


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)
