"""What a batch of feedback says about the quality of rankings, told once it is committed."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from penchant.domain.rewards import ResolvedSignal
from penchant.domain.types import Event, FoldKey, Interest, UserState
from penchant.service.meter import Meter, Outcome
from penchant.service.shown_scores import ShownScores, shown_as
from penchant.service.user_interest import Offered


class BatchQuality:
    """Notes the outcomes of a batch, and how far the interest of one of its users moved."""

    def __init__(self, offered: Offered, shown: ShownScores) -> None:
        self._offered = offered
        self._shown = shown
        self._noted: list[tuple[Event, ResolvedSignal]] = []
        self._before: tuple[str, UserState] | None = None
        self._drift: float | None = None

    def read(self, user: str, state: UserState) -> None:
        """Notes a user's state before the batch; the first one's is kept."""
        if self._before is None:
            self._before = user, state

    @property
    def wants_state(self) -> bool:
        """Whether no user's state was noted yet."""
        return self._before is None

    def follows(self, user: str) -> bool:
        """Whether `folded` looks at a user."""
        return self._before is not None and self._before[0] == user

    def event(self, event: Event, signal: ResolvedSignal) -> None:
        """Notes an accepted event."""
        self._noted.append((event, signal))

    def _outcome(self, event: Event, signal: ResolvedSignal) -> Outcome:
        rollout = self._offered.rollout
        arm = "candidate" if rollout is not None and rollout.shows(event.user) else "served"
        impression = signal.wait_s is not None
        score = event.exposure.score if event.exposure is not None else 0.0
        known = score_of(self._shown, shown_as(event.user, event.item), impression, score)
        return Outcome(arm, impression, signal.reward, known)

    def folded(self, user: str, key: FoldKey, interest: Interest) -> None:
        """Notes a user's interest after the batch. Cost: about 5 microseconds, for one user."""
        if self._before is not None and self._before[0] == user:
            self._drift = _moved(self._before[1], key, interest)

    def tell(self, meter: Meter, unwritten: Collection[str] = ()) -> None:
        """Tells what was noted; only after the commit, since a batch may fail.

        Args:
            meter: receives it.
            unwritten: users whose events were not written.
        """
        meter.outcomes([self._outcome(*one) for one in self._noted if one[0].user not in unwritten])
        if self._drift is not None and self._before and self._before[0] not in unwritten:
            meter.interest_drift(self._drift)


def score_of(shown: ShownScores, key: int, impression: bool, score: float) -> float | None:
    """The score at which the item of an accepted event was shown; None: not known.

    Args:
        shown: notes an impression's score, and gives it to the first answer.
        key: `shown_as` of the event's user and item.
        impression: whether the event says that the item was shown.
        score: of the event's exposure; 0 is what a caller sends who knows none.
    """
    if not impression:
        return score or shown.answered(key)
    if score:
        shown.shown(key, score)
    return score or None


def _moved(before: UserState, key: FoldKey, interest: Interest) -> float | None:
    """1 - cosine of a slow interest and the one before; None where they are not comparable."""
    old = before.interest
    if old is None or before.key is None or before.key.catalog_version != key.catalog_version:
        return None
    norms = float(np.linalg.norm(old.slow)) * float(np.linalg.norm(interest.slow))
    return max(0.0, 1.0 - float(old.slow @ interest.slow) / norms) if norms > 0 else None
