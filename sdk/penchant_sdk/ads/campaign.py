"""Campaigns, and their conversion to and from items of the catalog.

>>> from datetime import UTC
>>> june = Flight(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
>>> shoes = Campaign(
...     "shoes", "Trail shoes that grip", "Oak & Sons", june, Money.of(100), Money.of("0.40"),
...     targeting=(TargetingRule.one_of("device", "phone"),), caps=(FrequencyCap(3, Per.DAY),),
... )
>>> from_item(to_item(shoes)) == shoes
True
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, IntEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from google.protobuf import json_format

from penchant_proto.v1 import ads_pb2
from penchant_sdk._arguments import (
    UINT32_MAX,
    flag,
    instance,
    instances,
    listed,
    shown,
    text,
    texts,
    whole,
)
from penchant_sdk._times import from_microseconds, to_microseconds
from penchant_sdk.ads.goal import Goal, TargetCpa, TargetRoas
from penchant_sdk.ads.money import Money
from penchant_sdk.errors import InvalidRequest
from penchant_sdk.types import Item

ATTRIBUTE = "ads.campaign"
"""Name of the item attribute that holds a campaign."""
CREATIVE_OF = "ads.creative_of"
"""Name of the item attribute that holds the id of a creative's campaign."""
_MAX_CREATIVES = 16
_PIECE_BYTES = 1024
"""Largest value of one attribute."""
_MAX_PIECES = 32
_MAX_CAPS = 16
_YEAR_S = 365 * 86_400
_DAY_PARTS_S = 3660 * 86_400
_DAILY_ID_BYTES = 240
"""Longest id of a campaign whose budget key carries a date, too."""


class Weekday(IntEnum):
    """Days of the week, numbered as in ISO 8601."""

    MONDAY = 1
    TUESDAY = 2
    WEDNESDAY = 3
    THURSDAY = 4
    FRIDAY = 5
    SATURDAY = 6
    SUNDAY = 7


class Per(Enum):
    """Period of a frequency cap."""

    HOUR = "hour"
    DAY = "day"
    FLIGHT = "flight"


@dataclass(frozen=True, slots=True)
class TargetingRule:
    """A condition on one key of a request; see `DERIVED_KEYS` for the keys of every request."""

    key: str
    values: frozenset[str]
    excluded: bool = False
    """False: the key must have one of the values. True: it must have another value, or none."""

    def __post_init__(self) -> None:
        text("targeting: key", self.key)
        values = frozenset(texts(f"targeting: values of {self.key!r}", self.values))
        if not values:
            raise InvalidRequest(f"targeting: values of {self.key!r}: got none, expected 1 or more")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "excluded", flag("targeting: excluded", self.excluded))

    @classmethod
    def one_of(cls, key: str, *values: str) -> TargetingRule:
        """The key must have one of the values."""
        return cls(key, _set(values))

    @classmethod
    def none_of(cls, key: str, *values: str) -> TargetingRule:
        """The key must have another value, or none."""
        return cls(key, _set(values), excluded=True)


@dataclass(frozen=True, slots=True)
class FrequencyCap:
    """A limit on one user's impressions of a campaign, within every period of time."""

    limit: int
    """Most impressions within the period, 1 or more."""
    per: Per

    def __post_init__(self) -> None:
        whole("cap: limit", self.limit, least=1, most=UINT32_MAX)
        instance("cap: per", self.per, Per)


@dataclass(frozen=True, slots=True)
class DayPart:
    """A range of hours on some days of the week, by the campaign's clock."""

    from_hour: int
    """First hour, 0 to 23."""
    until_hour: int
    """Hour after the last one, from `from_hour` + 1 to 24."""
    weekdays: frozenset[Weekday] = frozenset()
    """Days of the week. Empty: every day."""

    def __post_init__(self) -> None:
        for name in ("from_hour", "until_hour"):
            whole(f"day part: {name}", getattr(self, name), least=-1)
        if not 0 <= self.from_hour < self.until_hour <= 24:
            raise InvalidRequest(
                f"day part: got {self.from_hour} to {self.until_hour}, expected hours from 0 to "
                "24, the first below the second; past midnight takes two parts"
            )
        days: list[object] = listed("day part: weekdays", self.weekdays, "weekdays")
        object.__setattr__(self, "weekdays", frozenset(map(_weekday, days)))


@dataclass(frozen=True, slots=True)
class Creative:
    """One of several ads of a campaign, an item of the catalog of its own."""

    id: str
    """Id within the campaign."""
    text: str
    """What the ad says; the encoder reads nothing else."""

    def __post_init__(self) -> None:
        text("creative: id", self.id)
        text("creative: text", self.text)


@dataclass(frozen=True, slots=True)
class Flight:
    """The time in which a campaign runs, as datetimes with a time zone."""

    starts_at: datetime
    """Start of the flight, inclusive."""
    ends_at: datetime
    """End of the flight, exclusive."""

    def __post_init__(self) -> None:
        if self.seconds <= 0:
            raise InvalidRequest(f"flight: ends at {self.ends_at}, expected after its start")

    @property
    def seconds(self) -> float:
        """Length of the flight in seconds."""
        return (self.ends_at_us - self.starts_at_us) / 1e6

    @property
    def starts_at_us(self) -> int:
        """Start in microseconds since 1970-01-01 UTC."""
        return to_microseconds(self.starts_at, "starts_at")

    @property
    def ends_at_us(self) -> int:
        """End in microseconds since 1970-01-01 UTC."""
        return to_microseconds(self.ends_at, "ends_at")


@dataclass(frozen=True, slots=True)
class Campaign:
    """One ad of an advertiser, with its rules and its budget."""

    id: str
    """Id of the campaign, 1 to 256 bytes. Impressions and spend are counted under it."""
    text: str
    """Description of the advertised product; the encoder reads nothing else."""
    advertiser: str
    flight: Flight
    budget: Money
    """Budget for the whole flight, or for each day; spent evenly over the hours of day-parts."""
    bid: Money
    """Price of one click; with a goal, the most that a click may cost."""
    categories: frozenset[str] = frozenset()
    """Categories that a slot may block."""
    targeting: tuple[TargetingRule, ...] = ()
    """Conditions that must all hold."""
    caps: tuple[FrequencyCap, ...] = ()
    """Caps that must all hold, at most 16."""
    day_parts: tuple[DayPart, ...] = ()
    """Hours in which the campaign runs. Empty: at all hours."""
    time_zone: str = "UTC"
    """The campaign's clock, for day-parts and daily budgets: a name such as `Europe/Amsterdam`."""
    budget_per: Per = Per.FLIGHT
    """`Per.DAY`: the budget is for each day, from midnight to midnight by the campaign's clock."""
    goal: Goal | None = None
    """What sales may cost, if clicks are paid by the sales to expect. None: each click costs the
    bid. Without a calibration that knows sales, a goal has no effect."""
    creatives: tuple[Creative, ...] = ()
    """Ads to choose from, at most 16, each with an id of its own. Empty: the campaign is one ad."""
    avoids: frozenset[str] = frozenset()
    """Topics in words, as in `plane crash`: the campaign is not shown on a page about one."""

    def __post_init__(self) -> None:
        for name in ("id", "text", "advertiser"):
            text(name, getattr(self, name))
        instance("flight", self.flight, Flight)
        for name in ("budget", "bid"):
            if not instance(name, getattr(self, name), Money).micros:
                raise InvalidRequest(f"{name}: got 0, expected more")
        object.__setattr__(self, "categories", frozenset(texts("categories", self.categories)))
        for name, kind in _PARTS.items():
            object.__setattr__(self, name, instances(name, getattr(self, name), kind))
        object.__setattr__(self, "avoids", frozenset(texts("avoids", self.avoids)))
        self._check_clock()
        self._check_creatives()
        if self.goal is not None and not isinstance(self.goal, (TargetCpa, TargetRoas)):
            raise InvalidRequest(f"goal: got {shown(self.goal)}, expected TargetCpa or TargetRoas")
        if len(self.caps) > _MAX_CAPS:
            raise InvalidRequest(f"caps: got {len(self.caps)}, expected at most {_MAX_CAPS}")
        if self.flight.seconds > _YEAR_S and any(cap.per is Per.FLIGHT for cap in self.caps):
            raise InvalidRequest(
                "caps: got one per flight of over 365 days, expected a shorter one"
            )

    def _check_clock(self) -> None:
        zone(text("time_zone", self.time_zone))
        if instance("budget_per", self.budget_per, Per) is Per.HOUR:
            raise InvalidRequest("budget_per: got Per.HOUR, expected Per.DAY or Per.FLIGHT")
        if self.budget_per is Per.DAY and len(self.id.encode()) > _DAILY_ID_BYTES:
            raise InvalidRequest(
                f"id: got {len(self.id.encode())} bytes, expected at most {_DAILY_ID_BYTES} with "
                "a budget per day"
            )
        if self.day_parts and self.flight.seconds > _DAY_PARTS_S:
            raise InvalidRequest(
                "flight: got one of over ten years with day parts, expected a shorter one"
            )

    def _check_creatives(self) -> None:
        if len(self.creatives) > _MAX_CREATIVES:
            raise InvalidRequest(
                f"creatives: got {len(self.creatives)}, expected at most {_MAX_CREATIVES}"
            )
        ids = [creative.id for creative in self.creatives]
        if len(set(ids)) < len(ids):
            raise InvalidRequest(f"creatives: got ids {', '.join(ids)}, expected each once")

    @property
    def items(self) -> tuple[str, ...]:
        """Ids of the items that may be shown: those of the creatives, else the campaign's own."""
        return tuple(item_of(self.id, one.id) for one in self.creatives) or (self.id,)

    def window_s(self, cap: FrequencyCap) -> int:
        """Period of a cap in seconds."""
        lengths = {Per.HOUR: 3600, Per.DAY: 86_400, Per.FLIGHT: math.ceil(self.flight.seconds)}
        return lengths[cap.per]


def item_of(campaign: str, creative: str) -> str:
    """The id of a creative's item; of the campaign's own item, if the creative is empty."""
    return f"{campaign}/{creative}" if creative else campaign


def to_items(campaign: Campaign) -> list[Item]:
    """Converts a campaign to items of the catalog: its own, and one for each creative.

    Raises:
        InvalidRequest: the campaign's rules are too long.
    """
    creatives = [
        Item(item_of(campaign.id, one.id), one.text, {CREATIVE_OF: campaign.id})
        for one in campaign.creatives
    ]
    return [to_item(campaign), *creatives]


def zone(name: str) -> ZoneInfo:
    """A time zone of the IANA database, by its name; cached.

    Raises:
        InvalidRequest: there is none of that name on this machine.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidRequest(
            f"time_zone: got {name!r}, expected a name such as Europe/Amsterdam; where this "
            "machine has no time zones, pip install tzdata"
        ) from None


def to_item(campaign: Campaign) -> Item:
    """Converts a campaign to an item of the catalog.

    Raises:
        InvalidRequest: the campaign's rules exceed 32 attributes of 1,024 bytes.
    """
    text = json.dumps(json_format.MessageToDict(_message(campaign)), separators=(",", ":"))
    pieces = [text[start : start + _PIECE_BYTES] for start in range(0, len(text), _PIECE_BYTES)]
    if len(pieces) > _MAX_PIECES:
        raise InvalidRequest(
            f"campaign {campaign.id!r}: its rules take {len(text):,} bytes, expected at most "
            f"{_MAX_PIECES * _PIECE_BYTES:,}; name fewer values in its targeting"
        )
    return Item(campaign.id, campaign.text, dict(zip(_names(len(pieces)), pieces, strict=True)))


def from_item(item: Item) -> Campaign | None:
    """Converts an item of the catalog to a campaign; None if the item is not one.

    Raises:
        InvalidRequest: the item's attribute cannot be read.
    """
    if ATTRIBUTE not in item.attributes:
        return None
    text = "".join(item.attributes.get(name, "") for name in _names(_MAX_PIECES))
    try:
        # Unknown fields are an error: a newer release may have written a rule that forbids this ad.
        message = json_format.Parse(text, ads_pb2.Campaign())
    except json_format.ParseError as error:
        raise InvalidRequest(f"item {item.id!r}: its {ATTRIBUTE} can't be read: {error}") from None
    return Campaign(
        item.id,
        item.text,
        message.advertiser,
        Flight(from_microseconds(message.starts_at_us), from_microseconds(message.ends_at_us)),
        Money(message.budget_micros),
        Money(message.bid_micros),
        frozenset(message.categories),
        tuple(TargetingRule(r.key, frozenset(r.values), r.excluded) for r in message.targeting),
        tuple(FrequencyCap(cap.limit, _PER[cap.per]) for cap in message.caps),
        tuple(
            DayPart(part.from_hour, part.until_hour, frozenset(map(Weekday, part.weekdays)))
            for part in message.day_parts
        ),
        message.time_zone or "UTC",
        Per.DAY if message.budget_per_day else Per.FLIGHT,
        _goal(message),
        tuple(Creative(one.id, one.text) for one in message.creatives),
        frozenset(message.avoids),
    )


def _goal(message: ads_pb2.Campaign) -> Goal | None:
    if message.target_cpa_micros:
        return TargetCpa(Money(message.target_cpa_micros))
    return TargetRoas(message.target_roas) if message.target_roas else None


_PARTS: dict[str, type] = {
    "targeting": TargetingRule,
    "caps": FrequencyCap,
    "day_parts": DayPart,
    "creatives": Creative,
}
"""Fields of a campaign that hold several objects of one class."""

_PER = {
    ads_pb2.FrequencyCap.PER_HOUR: Per.HOUR,
    ads_pb2.FrequencyCap.PER_DAY: Per.DAY,
    ads_pb2.FrequencyCap.PER_FLIGHT: Per.FLIGHT,
}
_PER_NUMBER = {per: number for number, per in _PER.items()}


def _set(values: tuple[str, ...]) -> frozenset[str]:
    return frozenset(texts("targeting: values", values))


def _weekday(day: object) -> Weekday:
    return Weekday(whole("day part: weekday", day, least=1, most=7))


def _names(count: int) -> list[str]:
    return [ATTRIBUTE, *(f"{ATTRIBUTE}.{number}" for number in range(2, count + 1))]


def _message(campaign: Campaign) -> ads_pb2.Campaign:
    goal = campaign.goal
    return ads_pb2.Campaign(
        advertiser=campaign.advertiser,
        categories=sorted(campaign.categories),
        targeting=[
            ads_pb2.TargetingRule(key=rule.key, values=sorted(rule.values), excluded=rule.excluded)
            for rule in campaign.targeting
        ],
        starts_at_us=campaign.flight.starts_at_us,
        ends_at_us=campaign.flight.ends_at_us,
        budget_micros=campaign.budget.micros,
        bid_micros=campaign.bid.micros,
        caps=[
            ads_pb2.FrequencyCap(limit=cap.limit, per=_PER_NUMBER[cap.per]) for cap in campaign.caps
        ],
        day_parts=[
            ads_pb2.DayPart(
                weekdays=sorted(part.weekdays),
                from_hour=part.from_hour,
                until_hour=part.until_hour,
            )
            for part in campaign.day_parts
        ],
        time_zone="" if campaign.time_zone == "UTC" else campaign.time_zone,
        budget_per_day=campaign.budget_per is Per.DAY,
        target_cpa_micros=goal.amount.micros if isinstance(goal, TargetCpa) else 0,
        target_roas=goal.ratio if isinstance(goal, TargetRoas) else 0.0,
        creatives=[ads_pb2.Creative(id=one.id, text=one.text) for one in campaign.creatives],
        avoids=sorted(campaign.avoids),
    )
