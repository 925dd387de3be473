"""The limits of one call, and the checks that hold them."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from penchant.domain.errors import InvalidEvent, InvalidRequest, PenchantError
from penchant.domain.exploration import EpsilonGreedy, PlackettLuce, Thompson
from penchant.domain.ranking import RankRequest
from penchant.domain.reservations import ReserveOption, ReserveRequest
from penchant.domain.types import Context, Event, Exposure, Item


@dataclass(frozen=True, slots=True)
class Limits:
    """The maxima of one call. A call beyond one is refused, and the message names the limit."""

    request_bytes: int = 8 << 20
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
    """Raises InvalidRequest unless it is 1 to `id_bytes` bytes without control characters."""
    _check_name(InvalidRequest, name, value, limits.id_bytes)


def check_ids(name: str, ids: Sequence[str], most: int, limits: Limits) -> None:
    """Raises InvalidRequest unless there are 1 to `most` distinct, valid ids."""
    check_count(name, ids, most)
    _check_distinct(name, ids)
    for position, id_ in enumerate(ids):
        check_id(f"{name}[{position}]", id_, limits)


def check_count(name: str, values: Collection[object], most: int, least: int = 1) -> None:
    """Raises InvalidRequest unless there are `least` to `most` values."""
    if not least <= len(values) <= most:
        raise InvalidRequest(f"{name}: got {len(values)}, expected {least} to {most}")


def check_text(name: str, text: str, most_bytes: int) -> None:
    """Raises InvalidRequest unless it has 1 to `most_bytes` bytes and is not blank."""
    size = _size(text)
    if size > most_bytes or not text.strip():
        got = f"{size} bytes" if size > most_bytes else "nothing but white space"
        raise InvalidRequest(f"{name}: got {got}, expected 1 to {most_bytes} bytes of text")


def check_rank(request: RankRequest, limits: Limits) -> None:
    """Raises InvalidRequest where a rank request breaks the contract."""
    check_id("user", request.user, limits)
    if not 1 <= request.k <= limits.k:
        raise InvalidRequest(f"k: got {request.k}, expected 1 to {limits.k}")
    if request.candidates is not None:
        check_count("candidates", request.candidates, limits.candidates, least=0)
        longest = max(map(len, request.candidates), default=0)
        if longest > limits.id_bytes:
            raise InvalidRequest(
                f"candidates: got an id of {longest} characters, "
                f"expected at most {limits.id_bytes} bytes"
            )
        _check_distinct("candidates", request.candidates)
    if (size := _size(request.query)) > limits.query_bytes:
        raise InvalidRequest(f"query: got {size} bytes, expected at most {limits.query_bytes}")
    if request.query and not request.query.strip():
        raise InvalidRequest("query: got nothing but white space, expected text or no query")
    _check_context(InvalidRequest, request.context, limits)
    _check_choice(request)
    if request.as_of_us is not None and not 0 <= request.as_of_us < 2**53:
        raise InvalidRequest(f"as_of_us: got {request.as_of_us}, expected 0 to {2**53 - 1}")


def _check_choice(request: RankRequest) -> None:
    if not 0 <= request.diversity <= 1:
        raise InvalidRequest(f"diversity: got {request.diversity}, expected 0 to 1")
    if request.explore is None:
        return
    if request.diversity:
        raise InvalidRequest(
            "diversity: got one together with explore, expected one of the two; "
            "the chances of a diverse list are not known"
        )
    match request.explore.policy:
        case PlackettLuce(temperature) if not 1e-6 <= temperature < math.inf:
            raise InvalidRequest(f"explore.temperature: got {temperature}, expected 1e-6 or more")
        case EpsilonGreedy(epsilon) if not 0 <= epsilon <= 1:
            raise InvalidRequest(f"explore.epsilon: got {epsilon}, expected 0 to 1")
        case Thompson(scale) if not 0 < scale <= 1000:
            raise InvalidRequest(f"explore.scale: got {scale}, expected more than 0, at most 1,000")


def check_item(name: str, item: Item, limits: Limits) -> None:
    """Raises InvalidRequest where an item breaks the contract."""
    check_id(f"{name}.id", item.id, limits)
    check_text(f"{name}.text", item.text, limits.text_bytes)
    check_count(f"{name}.attributes", item.attributes, limits.attributes, least=0)
    for key, value in item.attributes.items():
        _check_name(InvalidRequest, f"{name}.attributes", key, limits.attribute_key_bytes)
        if (size := _size(value)) > limits.attribute_bytes:
            raise InvalidRequest(
                f"{name}.attributes[{key!r}]: got {size} bytes, "
                f"expected at most {limits.attribute_bytes}"
            )


def check_reserve(request: ReserveRequest, now_us: int, limits: Limits) -> None:
    """Raises InvalidRequest where a reserve request breaks the contract."""
    check_id("user", request.user, limits)
    name, most = "recommendation_id", limits.recommendation_id_bytes
    _check_name(InvalidRequest, name, request.recommendation_id, most)
    check_ids("options", [option.item for option in request.options], limits.options, limits)
    _check_range("n", request.n, limits.reservations)
    _check_range("lapse_s", request.lapse_s, limits.lapse_s)
    for position, option in enumerate(request.options):
        _check_option(f"options[{position}]", option, limits)
    latest_us = now_us + limits.future_s * 1_000_000
    if request.as_of_us is not None and not 0 <= request.as_of_us <= latest_us:
        raise InvalidRequest(
            f"as_of_us: got {request.as_of_us}, expected microseconds since 1970, "
            f"at most {limits.future_s} s ahead of the server's clock ({now_us})"
        )


def _check_option(name: str, option: ReserveOption, limits: Limits) -> None:
    check_count(f"{name}.caps", option.caps, limits.caps, least=0)
    for position, cap in enumerate(option.caps):
        check_id(f"{name}.caps[{position}].key", cap.key, limits)
        _check_range(f"{name}.caps[{position}].window_s", cap.window_s, limits.cap_window_s)
        if cap.limit < 1:
            raise InvalidRequest(f"{name}.caps[{position}].limit: got 0, expected 1 or more")
    if option.budget is not None:
        check_id(f"{name}.budget.key", option.budget.key, limits)
        cost = option.budget.cost_micros
        _check_range(f"{name}.budget.cost_micros", cost, limits.cost_micros, least=0)


def _check_range(name: str, value: int, most: int, least: int = 1) -> None:
    if not least <= value <= most:
        raise InvalidRequest(f"{name}: got {value}, expected {least} to {most}")


def check_event(event: Event, now_us: int, limits: Limits) -> None:
    """Raises InvalidEvent where an event breaks the contract, its signal and item aside."""
    _check_name(InvalidEvent, "event_id", event.event_id, limits.event_id_bytes)
    _check_name(InvalidEvent, "user", event.user, limits.id_bytes)
    if event.recommendation_id:
        name, most = "recommendation_id", limits.recommendation_id_bytes
        _check_name(InvalidEvent, name, event.recommendation_id, most)
    if event.context:
        _check_context(InvalidEvent, event.context, limits)
    if event.exposure is not None:
        _check_exposure(event.exposure)
    latest_us = now_us + limits.future_s * 1_000_000
    if not 0 <= event.occurred_at_us <= latest_us:
        raise InvalidEvent(
            f"occurred_at_us: got {event.occurred_at_us}, expected microseconds since 1970, "
            f"at most {limits.future_s} s ahead of the server's clock ({now_us})"
        )


def _check_name(error: type[PenchantError], name: str, value: str, most_bytes: int) -> None:
    size = len(value) if value.isascii() else _size(value)
    if not 1 <= size <= most_bytes:
        raise error(f"{name}: got {size} bytes, expected 1 to {most_bytes}")
    if not value.isprintable():
        for character in value:
            if unicodedata.category(character) == "Cc":
                raise error(f"{name}: got the control character {character!r}, expected none")


def _check_distinct(name: str, values: Sequence[str]) -> None:
    if len(set(values)) == len(values):
        return
    seen: set[str] = set()
    for position, value in enumerate(values):
        if value in seen:
            raise InvalidRequest(f"{name}[{position}]: got {value[:64]!r} twice, expected once")
        seen.add(value)


def _check_context(error: type[PenchantError], context: Context, limits: Limits) -> None:
    if len(context) > limits.context_entries:
        raise error(f"context: got {len(context)}, expected 0 to {limits.context_entries}")
    for key, value in context:
        if (size := max(_size(key), _size(value))) > limits.context_bytes:
            raise error(
                f"context: got a key or value of {size} bytes, "
                f"expected at most {limits.context_bytes}"
            )


def _check_exposure(exposure: Exposure) -> None:
    if not 0 <= exposure.propensity <= 1:
        raise InvalidEvent(f"exposure.propensity: got {exposure.propensity}, expected 0 to 1")
    if not math.isfinite(exposure.score):
        raise InvalidEvent(f"exposure.score: got {exposure.score}, expected a finite number")


def _size(text: str) -> int:
    return len(text.encode())
