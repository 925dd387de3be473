"""Simulated readers and their visits, with known click probabilities.

A reader clicks an ad with probability examination[place] * attraction[reader, campaign]. This is
the position-based click model itself, so estimates of both factors can be compared with the truth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.errors import ConfigError

DAY_S = 86_400
EXAMINATION = (1.0, 0.55, 0.3)
"""Probability that a reader looks at each of the three places of a slot."""

TOPICS: dict[str, tuple[str, ...]] = {
    "running": ("Running shoes for mountain paths", "A running watch for mountain paths"),
    "coffee": ("Espresso coffee from a small roastery", "A coffee grinder for espresso"),
    "garden": ("Old garden roses with healthy roots", "Garden soil and seeds for vegetables"),
    "music": ("Jazz records on heavy vinyl", "A turntable for vinyl records"),
    "sailing": ("Sailing lessons in a windy harbour", "A sailing jacket for windy weather"),
    "baking": ("Flour and yeast for baking bread", "A baking oven for crusty bread"),
}  # fmt: skip
"""Topics of the campaigns, with two texts each."""

_HOURLY = np.array(
    [5, 4, 4, 4, 4, 5, 6, 8, 10, 10, 10, 10, 11, 10, 9, 9, 10, 11, 12, 13, 13, 11, 8, 6], np.float64
)
"""Relative number of visits in each hour: a third as many at night as in the evening."""


@dataclass(frozen=True, slots=True)
class Readers:
    """Readers with their true click probabilities."""

    users: tuple[str, ...]
    campaigns: tuple[str, ...]
    attraction: Float64
    """Probability of a click on an ad that the user looks at, shape (users, campaigns)."""
    examination: tuple[float, ...] = EXAMINATION
    """Probability of a look at each place, from the first."""

    def __post_init__(self) -> None:
        if self.attraction.shape != (len(self.users), len(self.campaigns)):
            raise ConfigError(
                f"attraction: got the shape {self.attraction.shape}, expected "
                f"{len(self.users)} users by {len(self.campaigns)} campaigns"
            )

    def click_probability(self, user: str, campaign: str, position: int) -> float:
        """The true click probability; places after the last one are examined like the last one."""
        looks = self.examination[min(position, len(self.examination)) - 1]
        row, column = self.users.index(user), self.campaigns.index(campaign)
        return float(looks * self.attraction[row, column])


@dataclass(frozen=True, slots=True)
class Visit:
    """One user opens a page."""

    user: str
    at_s: float
    """Seconds since the day's midnight."""


def simulated_readers(users: int, seed: int, *, texts_per_topic: int = 2) -> Readers:
    """Draws readers who each like one topic a lot, another a little, and the rest hardly at all.

    Args:
        users: number of readers.
        seed: seed of their tastes.
        texts_per_topic: number of campaigns per topic, at most 2; their ids are `topic-number`.

    >>> readers = simulated_readers(3, seed=1)
    >>> readers.campaigns[:2], readers.attraction.shape
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
        attraction=np.repeat(1 / (1 + np.exp(-log_odds)), texts_per_topic, axis=1),
    )


def campaign_text(campaign: str) -> str:
    """The text of a simulated campaign."""
    topic, _, number = campaign.rpartition("-")
    return TOPICS[topic][int(number)]


def visits(users: Sequence[str], count: int, seed: int) -> Iterator[Visit]:
    """Draws a day's visits in time order, more of them in the evening than at night.

    Args:
        users: users in order of how often they visit (Zipf's law, exponent 0.7).
        count: number of visits.
        seed: seed of users and times.
    """
    random = np.random.default_rng(seed)
    hour = random.choice(24, count, p=_HOURLY / _HOURLY.sum())
    at_s = np.sort(3600.0 * (hour + random.random(count)))
    often = 1 / np.arange(1, len(users) + 1) ** 0.7
    who = random.choice(len(users), count, p=often / often.sum())
    for moment, number in zip(at_s.tolist(), who.tolist(), strict=True):
        yield Visit(users[number], moment)
