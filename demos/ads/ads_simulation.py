"""Readers of a day whose wishes and looks are known: what ads earn can be compared with the truth.

A reader clicks with the chance examination[place] * wish[reader, campaign]: the position-based
model itself, so that what was estimated can be held against what is true.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.errors import ConfigError

DAY_S = 86_400
EXAMINATION = (1.0, 0.55, 0.3)
"""How much the three places of a slot are looked at."""

TOPICS: dict[str, tuple[str, ...]] = {
    "running": ("Running shoes for mountain paths", "A running watch for mountain paths"),
    "coffee": ("Espresso coffee from a small roastery", "A coffee grinder for espresso"),
    "garden": ("Old garden roses with healthy roots", "Garden soil and seeds for vegetables"),
    "music": ("Jazz records on heavy vinyl", "A turntable for vinyl records"),
    "sailing": ("Sailing lessons in a windy harbour", "A sailing jacket for windy weather"),
    "baking": ("Flour and yeast for baking bread", "A baking oven for crusty bread"),
}  # fmt: skip
"""What campaigns are about, with two texts each."""

_HOURLY = np.array(
    [5, 4, 4, 4, 4, 5, 6, 8, 10, 10, 10, 10, 11, 10, 9, 9, 10, 11, 12, 13, 13, 11, 8, 6], np.float64
)
"""Visits by hour: the night has a third of the evening's."""


@dataclass(frozen=True, slots=True)
class Readers:
    """People, and what they truly want."""

    users: tuple[str, ...]
    campaigns: tuple[str, ...]
    wish: Float64
    """The chance of a click where looked at, shape (users, campaigns)."""
    examination: tuple[float, ...] = EXAMINATION

    def __post_init__(self) -> None:
        if self.wish.shape != (len(self.users), len(self.campaigns)):
            raise ConfigError(
                f"wish: got the shape {self.wish.shape}, expected {len(self.users)} users by "
                f"{len(self.campaigns)} campaigns"
            )

    def click_probability(self, user: str, campaign: str, position: int) -> float:
        """The true chance; a place behind the last is looked at like it."""
        looks = self.examination[min(position, len(self.examination)) - 1]
        row, column = self.users.index(user), self.campaigns.index(campaign)
        return float(looks * self.wish[row, column])


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody opens a page."""

    user: str
    at_s: float
    """Seconds since the day's midnight."""


def simulated_readers(users: int, seed: int, *, texts_per_topic: int = 2) -> Readers:
    """People who like one topic much, another a little, and the others hardly.

    Args:
        users: how many.
        seed: of their tastes.
        texts_per_topic: campaigns of each topic, at most 2; campaign ids are `topic-number`.

    >>> readers = simulated_readers(3, seed=1)
    >>> readers.campaigns[:2], readers.wish.shape
    (('running-0', 'running-1'), (3, 12))
    """
    random = np.random.default_rng(seed)
    count = len(TOPICS)
    log_odds = np.full((users, count), -3.9)
    for row in log_odds:
        best, second = random.choice(count, 2, replace=False)
        row[best], row[second] = -1.1, -2.4
    log_odds += random.normal(0.0, 0.2, log_odds.shape)
    return Readers(
        users=tuple(f"reader-{number}" for number in range(users)),
        campaigns=tuple(f"{topic}-{n}" for topic in TOPICS for n in range(texts_per_topic)),
        wish=np.repeat(1 / (1 + np.exp(-log_odds)), texts_per_topic, axis=1),
    )


def campaign_text(campaign: str) -> str:
    """The text of a simulated campaign."""
    topic, _, number = campaign.rpartition("-")
    return TOPICS[topic][int(number)]


def visits(users: Sequence[str], count: int, seed: int) -> Iterator[Visit]:
    """A day's visits in time order, more of them in the evening than at night.

    Args:
        users: who may come; some come often (Zipf, exponent 0.7).
        count: how many visits.
        seed: of who and when.
    """
    random = np.random.default_rng(seed)
    hour = random.choice(24, count, p=_HOURLY / _HOURLY.sum())
    at_s = np.sort(3600.0 * (hour + random.random(count)))
    often = 1 / np.arange(1, len(users) + 1) ** 0.7
    who = random.choice(len(users), count, p=often / often.sum())
    for moment, number in zip(at_s.tolist(), who.tolist(), strict=True):
        yield Visit(users[number], moment)
