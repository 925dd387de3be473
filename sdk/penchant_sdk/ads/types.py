"""Arguments and results of the ad client: slots, contexts and decisions.

>>> slot = Slot("article", Size(300, 250), position=2, blocked_categories=frozenset({"alcohol"}))
>>> slot.size.name
'300x250'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from penchant_sdk._arguments import instance, text, texts, texts_by_key, whole
from penchant_sdk.ads.campaign import item_of
from penchant_sdk.ads.money import Money
from penchant_sdk.errors import InvalidRequest
from penchant_sdk.types import Explanation

DERIVED_KEYS = ("placement", "size", "device", "part_of_day", "weekday")
"""Keys derived from slot and context; no attribute may have one of these names."""


@dataclass(frozen=True, slots=True)
class Size:
    """Size of a slot in CSS pixels."""

    width_px: int
    height_px: int

    @property
    def name(self) -> str:
        """The size as targeting rules spell it, for example `300x250`."""
        return f"{self.width_px}x{self.height_px}"


@dataclass(frozen=True, slots=True)
class Slot:
    """A place on a publisher's page that holds one ad, or several below one another."""

    placement: str
    """The publisher's name for the slot, for example `home` or `article`."""
    size: Size
    position: int = 1
    """Position of the slot's first ad, counted from 1; the calibration depends on it."""
    blocked_categories: frozenset[str] = frozenset()
    """Categories of campaigns that are never shown here."""
    utc_offset: timedelta = timedelta(0)
    """The reader's offset from UTC, -14 to 14 hours, for `part_of_day` and `weekday`."""

    def __post_init__(self) -> None:
        text("placement", self.placement)
        instance("size", self.size, Size)
        whole("position", self.position, least=1)
        blocked = frozenset(texts("blocked_categories", self.blocked_categories))
        object.__setattr__(self, "blocked_categories", blocked)
        instance("utc_offset", self.utc_offset, timedelta)
        if abs(self.utc_offset) > timedelta(hours=14):
            raise InvalidRequest(f"utc_offset: got {self.utc_offset}, expected -14 to 14 hours")


@dataclass(frozen=True, slots=True)
class AdContext:
    """The page, the time and the reader of a request for ads."""

    page_text: str = ""
    """Text of the page; ads that match it score higher. Only the first 2,048 bytes are used."""
    at: datetime | float | None = None
    """Time of the request: a datetime with a time zone, or epoch seconds. None: now."""
    hour: int | None = None
    """Hour of the reader's clock, 0 to 23, for `part_of_day`. None: from `at` and `utc_offset`."""
    device: str = ""
    """The reader's device, for example `phone`."""
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Further keys for targeting, for example `{"country": "NL"}`; never sent to the server."""

    def __post_init__(self) -> None:
        text("page_text", self.page_text, empty=True)
        text("device", self.device, empty=True)
        if self.hour is not None and not 0 <= whole("hour", self.hour, least=-1) <= 23:
            raise InvalidRequest(f"hour: got {self.hour}, expected 0 to 23")
        texts_by_key("attributes", self.attributes)
        taken = sorted(set(self.attributes) & set(DERIVED_KEYS))
        if taken:
            raise InvalidRequest(
                f"attributes: got {', '.join(taken)}, expected none of {', '.join(DERIVED_KEYS)}"
            )


@dataclass(frozen=True, slots=True)
class Decision:
    """A reserved impression: show the ad and call `impression` before it lapses."""

    recommendation_id: str
    user: str
    campaign: str
    """Id of the campaign."""
    position: int
    """Position of the ad in the slot."""
    click_probability: float
    """Probability of a click at this position, according to the calibration."""
    price: Money
    """Amount reserved from the budget: the bid times the expected number of clicks."""
    propensity: float
    """Exact probability of this ad here, given the ads above it: that of the campaign, 1 without
    exploration, times that of the creative, 1 for a campaign of one ad."""
    score: float
    """`RankedItem.score`; `penchant calibrate` learns from it."""
    reason: str
    """A sentence that tells people why this user sees this ad."""
    explanation: Explanation | None
    """The parts of the score; None if `select` ran without `explain`."""
    lapses_at: datetime
    """End of the reservation, UTC. A later `impression` is logged, but may exceed a cap."""
    context: Mapping[str, str] = field(hash=False)
    """Context of the ranking; sent with the decision's events."""
    creative: str = ""
    """Id of the creative within the campaign; empty: the campaign is one ad."""

    @property
    def item(self) -> str:
        """Id of the ad's item in the catalog."""
        return item_of(self.campaign, self.creative)
