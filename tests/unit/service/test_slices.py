"""Slices: their size follows the time that they take."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.service.embed import EmbedRequest, EmbedService
from penchant.service.event_results import FeedbackRequest
from penchant.service.rank import RankRequest
from penchant.service.slices import SLICE_S, SliceSize, whole
from tests.support.world import World, liked


@given(
    seconds_per_unit=st.floats(1e-5, 1.0), first=st.floats(1, 1000), slices_done=st.integers(1, 60)
)
def test_a_slice_never_leaves_its_bounds_and_comes_to_take_its_time(
    seconds_per_unit: float, first: float, slices_done: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        now = [0.0]
        patch.setattr("penchant.service.slices.time.perf_counter", lambda: now[0])
        size = SliceSize(first=first, least=1.0, most=1_000.0)
        for _ in range(slices_done):
            units = size.units
            with size.timed(units):
                now[0] += units * seconds_per_unit
            assert 1.0 <= size.units <= 1_000.0
        fitting = min(max(SLICE_S / seconds_per_unit, 1.0), 1_000.0)
        if slices_done == 60:
            assert size.units == pytest.approx(fitting, rel=0.05)


def test_a_large_feedback_pauses_and_acknowledges_in_order(world: World) -> None:
    events = [liked(f"e{number}", "toy", user=f"u{number % 90}") for number in range(300)]
    work = world.feedback.in_slices(FeedbackRequest(tuple(events)))
    next(work)
    held = [user for user in range(90) if world.state(f"u{user}") is not None]
    assert 0 < len(held) < 90  # The first slice is committed, the others have not begun.
    results = whole(work)
    assert [one.event_id for one in results] == [one.event_id for one in events]


def test_texts_in_slices_have_the_vectors_of_texts_in_one_piece(world: World) -> None:
    service = EmbedService(world.store, world.encoders)
    texts = [f"text {number % 40} " + "x" * number for number in range(120)]
    request = EmbedRequest([*texts, texts[0]])
    work, pauses = service.in_slices(request), 0
    while True:
        try:
            next(work)
            pauses += 1
        except StopIteration as end:
            embedded = end.value
            break
    assert pauses > 5
    (expected,) = service.embed([request])
    assert not isinstance(expected, Exception)
    assert (embedded.vectors == expected.vectors).all()


def test_a_long_explanation_pauses_and_says_the_same(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put(**{f"i{number}": f"item {number}" for number in range(500)})
    world.feed(*[liked(f"e{number}", f"i{number}", ago_s=number) for number in range(20)])
    request = RankRequest("u", 450, explain=True)
    work, pauses = world.ranker.in_slices(request), 0
    while True:
        try:
            next(work)
            pauses += 1
        except StopIteration as end:
            ranking = end.value
            break
    assert pauses == 2
    assert ranking.explanations == world.rank(request).explanations
