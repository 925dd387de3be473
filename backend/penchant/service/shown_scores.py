"""The scores at which items were shown lately, so that an answer can be compared with its score.

Callers send the exposure with the impression; the like that follows names only user and item. Kept
in the writer's memory alone, by a digest, and only for the latest impressions.
"""

from __future__ import annotations

from collections import OrderedDict

from penchant.domain.window import digest64

MOST = 20_000
"""Impressions that are remembered; some 2 MB."""


class ShownScores:
    """Scores by user and item, the latest impressions alone."""

    def __init__(self, most: int = MOST) -> None:
        """Remembers nothing yet; `most` impressions at most."""
        self._most = most
        self._scores: OrderedDict[int, float] = OrderedDict()

    def shown(self, shown_as: int, score: float) -> None:
        """Notes an impression, by `shown_as`; the oldest is dropped where there are too many."""
        self._scores[shown_as] = score
        if len(self._scores) > self._most:
            self._scores.popitem(last=False)

    def answered(self, shown_as: int) -> float | None:
        """The score at which an item was shown to a user, given once; None: not known.

        >>> scores, toy = ShownScores(), shown_as("ann", "toy")
        >>> scores.shown(toy, 0.25)
        >>> scores.answered(toy), scores.answered(toy)
        (0.25, None)
        """
        return self._scores.pop(shown_as, None)


def shown_as(user: str, item: str) -> int:
    """The digest by which an item shown to a user is remembered."""
    return digest64(f"{user}\0{item}")
