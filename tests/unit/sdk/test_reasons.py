"""Reasons for a list: true shares of the explanations, and not one event all the way down."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from penchant_sdk import Contribution, Explanation, RankedItem, Ranking


def ranking(*shares: dict[str, float]) -> Ranking:
    """A ranking whose n-th item is explained by these shares, by the events' items."""
    items = []
    for place, of_item in enumerate(shares):
        contributions = tuple(
            Contribution(f"e-{item}", item, "like", datetime(2026, 3, 1, tzinfo=UTC), share)
            for item, share in sorted(of_item.items(), key=lambda one: -abs(one[1]))
        )
        why = Explanation(0.0, sum(of_item.values()), 0.0, 0.0, 0.0, contributions)
        items.append(RankedItem(f"i{place}", why.slow, why))
    return Ranking("r", tuple(items), (), 9, 1, "e", cold_start=False)


SHARES = st.dictionaries(st.sampled_from("abcdefg"), st.floats(-2, 2), max_size=5)


@given(st.lists(SHARES, max_size=10), st.integers(0, 3))
def test_reasons_are_notable_positive_shares_of_different_items(
    shares: list[dict[str, float]], per_item: int
) -> None:
    found = ranking(*shares).reasons(per_item)
    assert len(found) == len(shares)
    for because, of_item in zip(found, shares, strict=True):
        positive = [share for share in of_item.values() if share > 0]
        assert len(because) <= per_item
        assert bool(because) == bool(positive and per_item)
        assert len({one.item for one in because}) == len(because)
        assert [one.share for one in because] == sorted(
            (one.share for one in because), reverse=True
        )
        for one in because:
            assert one.share == of_item[one.item] >= 0.3 * max(positive)


@given(st.lists(st.floats(0.5, 1), min_size=5, max_size=5), st.integers(5, 10))
def test_no_event_is_named_for_all_items_where_others_speak_for_them_too(
    of_event: list[float], length: int
) -> None:
    """The same five notable events speak for each item."""
    shares = dict(zip("abcde", of_event, strict=True))
    found = ranking(*[shares] * length).reasons()
    named = Counter(one.item for because in found for one in because)
    assert set(named) == set("abcde")
    assert max(named.values()) < length


def test_a_ranking_without_explanations_has_no_reasons() -> None:
    bare = Ranking("r", (RankedItem("i", 1.0),), (), 0, 1, "e", cold_start=True)
    assert bare.reasons() == ((),)
