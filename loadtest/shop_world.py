"""The shop: users ask for a list, report on what it showed, and ask again."""

from __future__ import annotations

import random
from collections.abc import Sequence

from loadtest.timed_session import LoadWorld, PlayedSession, SessionMaker, TimedCall
from loadtest.traffic import (
    SHOWN,
    FeedbackStep,
    Population,
    RankStep,
    item_id,
    item_text,
    session,
)
from penchant_sdk import Event, Item, Penchant


def fill(penchant: Penchant, items: int) -> None:
    """Puts films."""
    films = [Item(id=item_id(number), text=item_text(number)) for number in range(items)]
    penchant.put_items(films, timeout_s=120.0)


def sessions(penchant: Penchant, population: Population, items: int) -> SessionMaker:
    """Rankings with and without candidates, and feedback of one to three events."""
    return lambda rng: _play(penchant, rng, population)


def _play(penchant: Penchant, rng: random.Random, population: Population) -> PlayedSession:
    steps = session(rng, population)
    version, recommendation, shown = 0, "", ()

    def rank(step: RankStep) -> Sequence[str]:
        nonlocal recommendation
        ranking = penchant.rank(
            step.user,
            k=SHOWN,
            candidates=step.candidates,
            min_state_version=version if step.after_feedback else 0,
        )
        recommendation = ranking.recommendation_id
        return ranking.ids

    def feedback(step: FeedbackStep) -> Sequence[str]:
        nonlocal version
        events = [
            Event(user=step.user, item=item, signal=signal, recommendation_id=recommendation)
            for item, signal in step.events
        ]
        ack = penchant.feedback(events)
        ack.raise_for_refused()
        version = ack.state_version(step.user)
        return ()

    step = next(steps)
    while True:
        if isinstance(step, RankStep):
            asked = step
            shown = yield TimedCall("rank", lambda asked=asked: rank(asked))  # type: ignore[misc]  # Bound now.
        else:
            told = step
            shown = yield TimedCall("feedback", lambda told=told: feedback(told))  # type: ignore[misc]  # Bound now.
        try:
            step = steps.send(shown)
        except StopIteration:
            return


SHOP = LoadWorld((), fill, sessions, 2000, {"rank": 100.0, "feedback": 150.0})
"""Films, with the server's own verbs."""
