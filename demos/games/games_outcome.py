"""Results of the games demo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from demos.games.diversity_sweep import DiversityPoint
from demos.games.taste_switch import TasteSwitch
from penchant.domain.arrays import Float64


@dataclass(frozen=True, slots=True)
class GamesOutcome:
    """Everything that the games demo measured."""

    shares: dict[str, Float64]
    """Truly liked share of each list by recommender, shape (sessions, players), 0 to 1."""
    diversity: list[DiversityPoint]
    """Lists after the last session, at each diversity."""
    switch: TasteSwitch
    """One player's lists during a switch to a new taste."""
    recommend_s: list[float]
    """Duration of each recommendation, in seconds."""
    feedback_s: list[float]
    """Duration of each event's feedback, in seconds."""

    def numbers(self, seconds: float) -> dict[str, Any]:
        """All numbers, ready for JSON.

        Args:
            seconds: duration of the demo.
        """
        return {
            "seconds": round(seconds, 1),
            "liked": {name: mine.mean(1).round(4).tolist() for name, mine in self.shares.items()},
            "knob": [[one.diversity, round(one.liked, 4), one.genres] for one in self.diversity],
            "story": {
                "played": self.switch.played,
                "lists": [
                    [[one.game.id, one.reason.text] for one in listed.items]
                    for listed in self.switch.lists
                ],
            },
        }
