"""Random events of a few users on the films of the services' tests."""

from __future__ import annotations

from hypothesis import strategies as st

from penchant.domain.types import Event
from tests.support.world import NOW_US, SECOND_US

FILMS = {
    "toy": "toy story animation comedy",
    "bug": "a bug life animation comedy",
    "alien": "alien horror space",
    "gravity": "gravity space drama",
    "heat": "heat crime drama",
    "babe": "babe pig comedy",
}

USERS = ("u", "v")


@st.composite
def events(draw: st.DrawFn, max_size: int = 12) -> list[Event]:
    """Valid events; no user repeats an event id."""
    return [
        Event(
            event_id=f"e{number}",
            user=draw(st.sampled_from(USERS)),
            item=draw(st.sampled_from(sorted(FILMS))),
            signal=signal,
            value=draw(st.integers(1, 5)) / 1.0 if signal == "rating" else None,
            occurred_at_us=NOW_US - draw(st.integers(0, 5)) * 1000 * SECOND_US,
            recommendation_id=draw(st.sampled_from(["", "r1", "r2"])),
        )
        for number in range(draw(st.integers(0, max_size)))
        for signal in [draw(st.sampled_from(["like", "dislike", "rating", "click", "impression"]))]
    ]
