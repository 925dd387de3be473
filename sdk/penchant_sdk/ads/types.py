"""Where an ad may be shown, when and to whom, and what was decided.

>>> slot = Slot("article", Size(300, 250), position=2, blocked_categories=frozenset({"alcohol"}))
>>> slot.size.name
'300x250'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from penchant_sdk.ads.money import Money
from penchant_sdk.errors import InvalidRequest
from penchant_sdk.types import Explanation

DERIVED_KEYS = ("placement", "size", "device", "part_of_day", "weekday")
"""Keys of a request that slot and context give; no attribute may have one of these names."""


@dataclass(frozen=True, slots=True)
class Size:
    """Of a slot, in CSS pixels."""

    width_px: int
    height_px: int

    @property
    def name(self) -> str:
        """As targeting rules name it: `300x250`."""
        return f"{self.width_px}x{self.height_px}"


@dataclass(frozen=True, slots=True)
class Slot:
    """A place of a publisher's page that holds one ad, or several one below the other."""

    placement: str
    """The publisher's name for it, for example `home` or `article`."""
    size: Size
    position: int = 1
    """Of the first ad, 1 at the top: how likely it is looked at, the calibration knows."""
    blocked_categories: frozenset[str] = frozenset()
    """Campaigns of one of these are never shown here."""
    utc_offset: timedelta = timedelta(0)
    """Of the clock where the slot is seen: day-parts go by it."""

    def __post_init__(self) -> None:
        if not self.placement:
            raise InvalidRequest("placement: got none, expected the slot's name")
        if self.position < 1:
            raise InvalidRequest(f"position: got {self.position}, expected 1 or more")
        if abs(self.utc_offset) > timedelta(hours=14):
            raise InvalidRequest(f"utc_offset: got {self.utc_offset}, expected -14 to 14 hours")


@dataclass(frozen=True, slots=True)
class AdContext:
    """What is known of the page, the moment and the reader."""

    page_text: str = ""
    """Ads that fit it gain; what the encoder reads: its first 2,048 bytes."""
    at: datetime | float | None = None
    """When: a datetime with a time zone, or epoch seconds, for replays. None: now."""
    hour: int | None = None
    """Of the reader's own clock, 0 to 23. None: by `at` and the slot's `utc_offset`."""
    device: str = ""
    """For example `phone`."""
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What else targeting looks at, for example `{"country": "NL"}`; it stays in the client."""

    def __post_init__(self) -> None:
        if self.hour is not None and not 0 <= self.hour <= 23:
            raise InvalidRequest(f"hour: got {self.hour}, expected 0 to 23")
        taken = sorted(set(self.attributes) & set(DERIVED_KEYS))
        if taken:
            raise InvalidRequest(
                f"attributes: got {', '.join(taken)}, which slot and context give themselves"
            )


@dataclass(frozen=True, slots=True)
class Decision:
    """An impression that is reserved: show the ad and call `impression` before it lapses."""

    recommendation_id: str
    user: str
    campaign: str
    """The campaign's id, which is its item's."""
    position: int
    """Where in the slot it was decided to be shown."""
    click_probability: float
    """By the calibration: examination of the place times the chance of a click where looked at."""
    price: Money
    """What was reserved of the budget: the bid times the clicks to be expected."""
    propensity: float
    """The exact chance of this ad at this place, given those above it; 1 without exploration."""
    score: float
    """As the ranking had it; what `penchant calibrate` learns from."""
    reason: str
    """A sentence for people: why this ad for this user."""
    explanation: Explanation | None
    """The parts of the score; present where it was asked for."""
    lapses_at: datetime
    """UTC. A later `impression` is logged all the same, but the cap no longer held its place."""
    context: Mapping[str, str] = field(hash=False)
    """As the ranking had it; goes with the events."""
