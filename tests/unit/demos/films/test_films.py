"""The films demo: its metrics against hand-made numbers, popularity, and a replay in process."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.demo_tables import latency_table
from demos.films import film_tables, learning_curve
from demos.films.film_metrics import ALL, BANDS, CURVE, LiveRankingQuality, WatchedRanking, compare
from demos.films.live_popularity import HALF_LIFE_S, LivePopularity
from demos.films.live_replay import LiveReplay, choose_story, choose_users
from penchant.domain.types import Event
from penchant.report.terminal import Terminal
from penchant_sdk import Item
from penchant_sdk.testing import FakePenchant

FILMS = [str(n) for n in range(1, 31)]
DAY_US = 86_400_000_000


def rating(user: str, film: str, stars: float = 5.0, day: float = 0.0) -> Event:
    at = int(day * DAY_US)
    return Event(f"{user}-{film}", user, film, "rating", stars, at)


def ranking(earlier: int, place: int | None, popular: int | None) -> WatchedRanking:
    return WatchedRanking("u", "i", earlier, place, popular)


def test_recall_and_ndcg_against_numbers_made_by_hand() -> None:
    quality = LiveRankingQuality.of([0, 1, 9, None])
    assert quality.recall == 0.75
    assert quality.ndcg == pytest.approx((1 + 1 / math.log2(3) + 1 / math.log2(11)) / 4)
    assert quality.error == pytest.approx(math.sqrt(0.75 * 0.25 / 4))


def test_the_lift_and_its_error_against_numbers_made_by_hand() -> None:
    places: list[tuple[int | None, int | None]] = [(0, 0), (1, None), (None, None), (None, None)]
    (row,) = compare([ranking(30, *both) for both in places], [ALL])
    assert row.lift == 2
    spread = math.sqrt((0.25 / 0.5) ** 2 + (math.sqrt(0.1875 / 4) / 0.25) ** 2)
    assert row.lift_error == pytest.approx(2 * spread)


def test_without_rankings_there_is_no_number() -> None:
    assert math.isnan(LiveRankingQuality.of([]).recall)
    assert math.isnan(compare([], BANDS)[0].lift)


def test_rankings_go_to_the_band_of_their_earlier_feedbacks() -> None:
    earlier = [0, 1, 5, 6, 20, 21, 500]
    rows = compare([ranking(count, None, 0) for count in earlier], BANDS)
    assert [row.penchant.rankings for row in rows] == [1, 2, 2, 2]
    assert [str(row.band) for row in rows] == ["0", "1–5", "6–20", "21+"]
    assert {row.lift for row in rows} == {0.0}


@given(st.integers(0, 10_000))
def test_every_count_is_in_exactly_one_band(count: int) -> None:
    for bands in (BANDS, CURVE):
        assert sum(bool(band.holds(np.array(count))) for band in bands) == 1


def test_popularity_halves_in_two_weeks() -> None:
    popularity = LivePopularity(FILMS)
    popularity.add([rating("a", "1"), rating("b", "1")])
    popularity.add([rating("c", "2", day=HALF_LIFE_S / 86400 * 1.5)])
    assert popularity.top(2) == ["2", "1"]


def test_popularity_counts_rewards_and_leaves_out_rated_films() -> None:
    popularity = LivePopularity(FILMS)
    popularity.add(
        [rating("a", "3", 5), rating("a", "2", 3), rating("b", "2", 3), rating("c", "9", 1)]
    )
    assert popularity.top(3) == ["3", "2", "1"]
    assert popularity.top(2, leave_out={"3"}) == ["2", "1"]
    assert popularity.top(99, leave_out=FILMS[:20]) == FILMS[20:]


def test_the_users_to_watch_are_a_seeded_sample() -> None:
    later = [rating(str(n), "1") for n in range(50)]
    assert choose_users(later, 10, 1) == choose_users(later[::-1], 10, 1)
    assert choose_users(later, 10, 1) != choose_users(later, 10, 2)
    assert sorted(choose_users(later, 99, 1), key=int) == [str(n) for n in range(50)]


def test_the_story_is_of_a_stranger_with_the_median_number_of_ratings() -> None:
    counts = {"1": 31, "2": 40, "3": 70, "4": 90, "5": 45}
    later = [rating(user, str(n)) for user, count in counts.items() for n in range(count)]
    history = [rating("5", "x")]
    assert choose_story(history, later, ["1", "2", "3", "4", "5"]) == "2"
    assert choose_story(history, later, ["4", "5"]) == "4"


@pytest.fixture
def played() -> LiveReplay:
    penchant = FakePenchant()
    penchant.put_items([Item(id_, f"film {id_}", {"title": f"Film {id_}"}) for id_ in FILMS])
    replay = LiveReplay(penchant, LivePopularity(FILMS))
    replay.import_history([rating("old", film, day=1) for film in ("1", "2")], lambda units: None)
    others = [rating(f"x{n}", "5", day=2) for n in range(150)]
    ann = [rating("ann", "5", day=3), rating("ann", "9", 2.0, day=4), rating("ann", "30", day=5)]
    replay.play_live(
        [*others, *ann, rating("old", "6", day=6)], ["ann", "old"], "ann", lambda units: None
    )
    return replay


def test_a_liked_film_is_looked_up_in_both_rankings(played: LiveReplay) -> None:
    found = [(r.user, r.item, r.earlier, r.popular_place) for r in played.outcome.rankings]
    # The last 50 ratings of the others wait for their call, in both rankings alike.
    assert found == [("ann", "5", 0, 0), ("ann", "30", 2, None), ("old", "6", 2, 4)]
    assert played.outcome.rankings[0].place == 0
    assert len(played.outcome.rank_s) == 3
    assert len(played.outcome.feedback_s) == 4


def test_the_story_begins_before_the_first_rating_and_ends_after_the_last(
    played: LiveReplay,
) -> None:
    story = played.outcome.story
    assert story is not None
    assert (story.before.cold_start, story.after.state_version) == (True, 3)
    assert not {"5", "9", "30"} & set(story.after.ids)
    assert story.after.items[0].explanation is not None
    assert story.after_s == 5 * 86400


def test_the_report_can_be_read_by_people_and_programs(played: LiveReplay) -> None:
    console = Terminal(file=io.StringIO(), width=80)
    rows = compare(played.outcome.rankings, BANDS)
    (total,) = compare(played.outcome.rankings, [ALL])
    titles = {id_: f"Film {id_}" for id_ in FILMS}
    console.print(film_tables.quality_table(rows, total))
    console.print(latency_table({"rank": played.outcome.rank_s, "feedback": []}))
    assert played.outcome.story
    console.print(film_tables.story_table(played.outcome.story, titles))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    for heading in ("popu-", "larity", "first clock alone", "both clocks", "after 3 ratings"):
        assert heading in text
    assert "…" not in text
    results = json.loads(json.dumps(film_tables.results(played.outcome, {"seed": 1}, titles)))
    assert results["bands"][0]["penchant"]["recall@10"] == 1.0
    assert results["bands"][3]["recall_ratio"] is None
    assert results["story"]["before"][0] == "Film 5"


def test_the_curve_is_a_picture(played: LiveReplay, tmp_path: Path) -> None:
    path = tmp_path / "learning_curve.png"
    learning_curve.draw(compare(played.outcome.rankings, CURVE), 2, path)
    assert path.read_bytes().startswith(b"\x89PNG")
