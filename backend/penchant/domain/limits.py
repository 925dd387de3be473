"""The limits of one call, and the checks that hold them."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from penchant.domain.errors import InvalidEvent, InvalidRequest, PenchantError
from penchant.domain.types import Context, Event, Exposure, Item

AHEAD_US = 600_000_000
"""Microseconds ahead of the clock, twice what an event's time may lie ahead. What the store dates
later than that was written under a wrong clock."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The maxima of one call. A call beyond one is refused, and the message names the limit."""

    request_bytes: int = 2 << 20
    """Bytes of one serialized call."""
    candidates: int = 5000
    """Candidates of one ranking."""
    k: int = 1000
    """Items returned by one ranking."""
    query_bytes: int = 2048
    """Bytes of a query."""
    context_entries: int = 32
    """Entries of a context."""
    context_bytes: int = 128
    """Bytes of a context's key, and of its value."""
    events: int = 1000
    """Events in one call."""
    options: int = 1000
    """Options of one reservation call."""
    reservations: int = 100
    """Impressions reserved by one call."""
    lapse_s: int = 3600
    """Seconds until an unconfirmed reservation lapses."""
    caps: int = 16
    """Frequency caps of one option."""
    cap_window_s: int = 31_536_000
    """Seconds that a frequency cap spans."""
    pace_window_s: int = 60
    """Longest window of a pace, in seconds; 5 is the shortest."""
    cost_micros: int = 2**53 - 1
    """Cost of one impression, in millionths of the currency."""
    items: int = 1000
    """Items in one call."""
    texts: int = 256
    """Texts in one call to the encoder."""
    text_bytes: int = 8192
    """Bytes of an item's text, or of a text to encode."""
    id_bytes: int = 256
    """Bytes of a user's or an item's id."""
    event_id_bytes: int = 128
    """Bytes of an event's id."""
    recommendation_id_bytes: int = 64
    """Bytes of a recommendation id."""
    attributes: int = 64
    """Attributes of one item."""
    attribute_key_bytes: int = 128
    """Bytes of an attribute's key."""
    attribute_bytes: int = 1024
    """Bytes of an attribute's value."""
    export_rows: int = 10_000
    """Log rows in one page of an export."""
    future_s: int = 300
    """Seconds that an event's time may lie ahead of the server's clock."""


def check_id(name: str, value: str, limits: Limits) -> None:
    """Raises InvalidRequest unless the id has 1 to `id_bytes` bytes and no control characters."""
    check_name(InvalidRequest, name, value, limits.id_bytes)


def check_ids(name: str, ids: Sequence[str], most: int, limits: Limits, field: str = "") -> None:
    """Raises InvalidRequest unless there are 1 to `most` distinct, valid ids.

    Args:
        name: of the list.
        ids: of its elements.
        most: how many there may be.
        limits: of the ids.
        field: that holds an element's id, as in `.id`; empty: the elements are ids.
    """
    check_count(name, ids, most)
    check_distinct(name, ids)
    for position, id_ in enumerate(ids):
        check_id(f"{name}[{position}]{field}", id_, limits)


def check_count(name: str, values: Collection[object], most: int, least: int = 1) -> None:
    """Raises InvalidRequest unless there are `least` to `most` values."""
    if not least <= len(values) <= most:
        raise InvalidRequest(f"{name}: got {len(values)}, expected {least} to {most}")


def check_range(name: str, value: int, most: int, least: int = 1) -> None:
    """Raises InvalidRequest unless the value is in `least` to `most`."""
    if not least <= value <= most:
        raise InvalidRequest(f"{name}: got {value}, expected {least} to {most}")


def check_distinct(name: str, values: Sequence[str]) -> None:
    """Raises InvalidRequest for the first value that occurs a second time."""
    if len(set(values)) == len(values):
        return
    seen: set[str] = set()
    for position, value in enumerate(values):
        if value in seen:
            raise InvalidRequest(f"{name}[{position}]: got {value[:64]!r} twice, expected once")
        seen.add(value)


def check_text(name: str, text: str, most_bytes: int) -> None:
    """Raises InvalidRequest unless the text has 1 to `most_bytes` bytes and is not blank."""
    size = utf8_size(text)
    if size > most_bytes or not text.strip():
        got = f"{size} bytes" if size > most_bytes else "nothing but white space"
        raise InvalidRequest(f"{name}: got {got}, expected 1 to {most_bytes} bytes of text")


def check_name(error: type[PenchantError], name: str, value: str, most_bytes: int) -> None:
    """Raises `error` unless the value has 1 to `most_bytes` bytes and no control characters."""
    size = len(value) if value.isascii() else utf8_size(value)
    if not 1 <= size <= most_bytes:
        raise error(f"{name}: got {size} bytes, expected 1 to {most_bytes}")
    if not value.isprintable():
        for character in value:
            if unicodedata.category(character) == "Cc":
                raise error(f"{name}: got the control character {character!r}, expected none")


def check_context(error: type[PenchantError], context: Context, limits: Limits) -> None:
    """Raises `error` for too many entries, or a key or value that is too long."""
    if len(context) > limits.context_entries:
        raise error(f"context: got {len(context)}, expected 0 to {limits.context_entries}")
    for key, value in context:
        if (size := max(utf8_size(key), utf8_size(value))) > limits.context_bytes:
            raise error(
                f"context: got a key or value of {size} bytes, "
                f"expected at most {limits.context_bytes}"
            )


def check_time(
    error: type[PenchantError], name: str, at_us: int, now_us: int, limits: Limits
) -> None:
    """Raises `error` for a time before 1970, or more than `future_s` ahead of `now_us`."""
    if not 0 <= at_us <= now_us + limits.future_s * 1_000_000:
        raise error(
            f"{name}: got {at_us}{_dated(at_us)}, expected microseconds since 1970, at most "
            f"{limits.future_s} s ahead of the server's clock ({now_us}{_dated(now_us)})"
            f"{_unit_hint(at_us, now_us)}"
        )


def _dated(at_us: int) -> str:
    """A time as people read it, to stand behind its number; empty for what is no date.

    >>> _dated(1_795_824_845_244_388), _dated(10**18)
    (', 2026-11-28T00:14:05Z', '')
    """
    try:
        return f", {datetime.fromtimestamp(at_us // 1_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return ""


def _unit_hint(at_us: int, now_us: int) -> str:
    """What to say of a time that milliseconds or nanoseconds, taken for seconds, would give.

    >>> _unit_hint(1_700_000_000_000_000_000, 1_795_824_845_244_388)
    '; milliseconds were given for seconds, or nanoseconds for microseconds'
    """
    if now_us // 2 <= at_us // 1_000 <= now_us * 2:
        return "; milliseconds were given for seconds, or nanoseconds for microseconds"
    return ""


def check_item(name: str, item: Item, limits: Limits) -> None:
    """Raises InvalidRequest if an item breaks the contract."""
    check_id(f"{name}.id", item.id, limits)
    check_text(f"{name}.text", item.text, limits.text_bytes)
    check_count(f"{name}.attributes", item.attributes, limits.attributes, least=0)
    for key, value in item.attributes.items():
        check_name(InvalidRequest, f"{name}.attributes", key, limits.attribute_key_bytes)
        if (size := utf8_size(value)) > limits.attribute_bytes:
            raise InvalidRequest(
                f"{name}.attributes[{key!r}]: got {size} bytes, "
                f"expected at most {limits.attribute_bytes}"
            )


def check_event(event: Event, now_us: int, limits: Limits) -> None:
    """Raises InvalidEvent if an event breaks the contract; signal and item are not looked up."""
    check_name(InvalidEvent, "event_id", event.event_id, limits.event_id_bytes)
    check_name(InvalidEvent, "user", event.user, limits.id_bytes)
    if event.recommendation_id:
        name, most = "recommendation_id", limits.recommendation_id_bytes
        check_name(InvalidEvent, name, event.recommendation_id, most)
    if event.context:
        check_context(InvalidEvent, event.context, limits)
    if event.exposure is not None:
        _check_exposure(event.exposure)
    check_time(InvalidEvent, "occurred_at_us", event.occurred_at_us, now_us, limits)


def _check_exposure(exposure: Exposure) -> None:
    if not 0 <= exposure.propensity <= 1:
        raise InvalidEvent(f"exposure.propensity: got {exposure.propensity}, expected 0 to 1")
    if not math.isfinite(exposure.score):
        raise InvalidEvent(f"exposure.score: got {exposure.score}, expected a finite number")


def utf8_size(text: str) -> int:
    """Bytes of a text in UTF-8.

    >>> utf8_size("a"), utf8_size("\u20ac")
    (1, 3)
    """
    return len(text.encode())
