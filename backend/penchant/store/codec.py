"""Encodes the values of the store, each with a schema version and a checksum.

    byte 0      schema version
    bytes 1-4   CRC-32 of the payload, little-endian; from version 2 on, in all later releases too,
                seeded with the version
    bytes 5-    the payload

A failed checksum raises StateCorrupt, and so does a payload that can't be read. The version of a
newer release raises StateTooNew, if the checksum holds: else the version itself is damaged.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import numpy as np

from penchant.domain.ad_accounts import AdAccount
from penchant.domain.errors import StateCorrupt, StateTooNew
from penchant.domain.exact_sums import ExactSum
from penchant.domain.reservations import ReservedImpression
from penchant.domain.rollout import Rollout, Sums, no_sums
from penchant.domain.types import (
    RECENT_DTYPE,
    WINDOW_DTYPE,
    CatalogChange,
    CatalogHead,
    Counters,
    Event,
    ExactCounters,
    Exposure,
    FoldKey,
    Interest,
    Item,
    LogRow,
    Published,
    Receipt,
    Record,
    StoredItem,
    UserState,
    Vector,
    Window,
)
from penchant.domain.window import half_propensity

SCHEMA_VERSION = 7
_HEADER = struct.Struct("<BI")
_RECORD = struct.Struct("<QI")
_CACHE = struct.Struct("<QqQQII")
_CACHE_SINCE = 4
"""First schema version with this layout of the cache; older caches are dropped and folded anew."""
_WINDOW_SINCE = 6
"""First schema version with this layout of a window; older layouts lack its last fields."""
_CONTEXT_SINCE = 4
"""First schema version whose windows hold propensities and contexts."""
RESERVATIONS_SINCE = 5
"""First schema version of ledgers and budgets whose every change is in the log as well."""
_OLDEST_WINDOW = np.dtype(WINDOW_DTYPE.descr[:7])
_OLDER_WINDOW = np.dtype(
    [*_OLDEST_WINDOW.descr, ("propensity", "<f4"), ("context", "<u4", (5,))],
)
_COUNTERS = struct.Struct("<ddq")
_TIME = struct.Struct("<q")
_EXACT = struct.Struct("<iI")
"""Exponent, and bytes of the mantissa."""
_FLOAT = np.dtype("<f4")
_OF_ANOTHER_FORM = (ValueError, TypeError, LookupError, AttributeError, struct.error)

_Value = TypeVar("_Value")


def seal(payload: bytes) -> bytes:
    """Puts the schema version and a checksum in front of a payload."""
    return _HEADER.pack(SCHEMA_VERSION, zlib.crc32(payload, SCHEMA_VERSION)) + payload


def unseal(value: bytes, what: str) -> memoryview:
    """The payload of a sealed value.

    Raises:
        StateCorrupt, StateTooNew: the value cannot be read; the message begins with `what`.
    """
    if len(value) < _HEADER.size:
        raise StateCorrupt(f"{what}: got {len(value)} bytes, expected at least {_HEADER.size}")
    version, checksum = _HEADER.unpack_from(value)
    payload = memoryview(value)[_HEADER.size :]
    begun_with = 0 if version == 1 else version
    if version < 1 or zlib.crc32(payload, begun_with) != checksum:
        raise StateCorrupt(f"{what}: checksum differs")
    if version > SCHEMA_VERSION:
        raise StateTooNew(
            f"{what}: schema {version}, this release reads up to {SCHEMA_VERSION}: upgrade it"
        )
    return payload


def sound(what: str) -> Callable[[Callable[[bytes], _Value]], Callable[[bytes], _Value]]:
    """Makes a decoder raise StateCorrupt for a payload of another form, whatever its checksum."""

    def wrap(decode: Callable[[bytes], _Value]) -> Callable[[bytes], _Value]:
        @functools.wraps(decode)
        def decoded(value: bytes) -> _Value:
            try:
                return decode(value)
            except _OF_ANOTHER_FORM as error:
                raise StateCorrupt(f"{what}: {error}") from error

        return decoded

    return wrap


def encode_record(record: Record) -> bytes:
    """Encodes a record without its cache: equal events give equal bytes."""
    return _RECORD.pack(record.state_version, len(record.window)) + record.window.tobytes()


def encode_user(state: UserState) -> bytes:
    """Encodes a record and its cached fold."""
    payload = encode_record(state.record)
    if state.key is not None and state.interest is not None:
        slow, fast = state.interest.slow, state.interest.fast
        key, recent = state.key, state.interest.recent
        numbers = len(fast), len(recent)
        payload += _CACHE.pack(
            key.catalog_version, key.time_bucket, key.settings, key.context, *numbers
        )
        payload += slow.astype(_FLOAT).tobytes() + fast.astype(_FLOAT).tobytes()
        payload += recent.tobytes()
    return seal(payload)


@sound("user record")
def decode_user(value: bytes) -> UserState:
    """The inverse of `encode_user`; the arrays are read-only."""
    payload = unseal(value, "user record")
    version, count = _RECORD.unpack_from(payload)
    layout = _window_layout(value[0])
    position = _RECORD.size + count * layout.itemsize
    # Copied, because NumPy is several times slower on unaligned numbers.
    window = np.frombuffer(bytes(payload[_RECORD.size : position]), layout, count)
    record = Record(version, window if layout is WINDOW_DTYPE else _widened(window))
    if position == len(payload) or value[0] < _CACHE_SINCE:
        return UserState(record)
    catalog_version, bucket, settings, context, d, m = _CACHE.unpack_from(payload, position)
    recent_at = len(payload) - m * RECENT_DTYPE.itemsize
    both = np.frombuffer(bytes(payload[position + _CACHE.size : recent_at]), _FLOAT)
    recent = np.frombuffer(bytes(payload[recent_at:]), RECENT_DTYPE, m)
    if len(both) < 2 * d or (len(both) % d if d else len(both)):
        raise ValueError(f"got {len(both)} numbers, expected two or more vectors of {d}")
    key = FoldKey(catalog_version, bucket, settings, context)
    slow = len(both) - d
    return UserState(record, key, Interest(both[:slow], both[slow:], recent))


@sound("user record")
def newest_in_record(value: bytes) -> int:
    """The time of the last event of a record's window; 0 for an empty one. Cost: one number."""
    _, count = _RECORD.unpack_from(value, _HEADER.size)
    place = _HEADER.size + _RECORD.size + (count - 1) * _window_layout(value[0]).itemsize
    return (
        int(_TIME.unpack_from(value, place)[0]) if count else 0
    )  # The first field of each layout.


@sound("user record")
def version_in_record(value: bytes) -> int:
    """The state version of a record. Cost: one number; the checksum is not looked at."""
    return int(_RECORD.unpack_from(value, _HEADER.size)[0])


def _window_layout(version: int) -> np.dtype[np.void]:
    if version >= _WINDOW_SINCE:
        return WINDOW_DTYPE
    return _OLDER_WINDOW if version >= _CONTEXT_SINCE else _OLDEST_WINDOW


def _widened(older: Window) -> Window:
    """A window of an older schema, with zeros in the fields that it lacks."""
    window = np.zeros(len(older), WINDOW_DTYPE)
    for name in older.dtype.names or ():
        window[name] = older[name]
    if "propensity" in (older.dtype.names or ()):
        window["propensity"] = [half_propensity(chance) for chance in older["propensity"].tolist()]
    return window


_JSON = json.JSONEncoder(separators=(",", ":"), sort_keys=True)
"""Made once: `json.dumps` with these arguments makes one for every row of the log."""


def _encode_json(value: object) -> bytes:
    return seal(_JSON.encode(value).encode())


def _decode_json(value: bytes, what: str) -> Any:
    # As text: given bytes, `json` first guesses their encoding, which takes a fifth of the time.
    return json.loads(str(unseal(value, what), "utf-8"))


def encode_log_row(row: LogRow) -> bytes:
    """Encodes an accepted event."""
    event = row.event
    return _encode_json(
        [
            event.event_id,
            event.user,
            event.item,
            event.signal,
            event.value,
            event.occurred_at_us,
            event.recommendation_id,
            row.state_version,
            row.accepted_at_us,
            event.context,
            event.exposure and dataclasses.astuple(event.exposure),
            *([dataclasses.astuple(row.receipt)] if row.receipt else []),
        ]
    )


@sound("log row")
def decode_log_row(value: bytes) -> LogRow:
    """The inverse of `encode_log_row`."""
    id_, user, item, signal, value_, at_us, recommendation, version, accepted_at_us, *rest = (
        _decode_json(value, "log row")
    )
    # Rows of schema 3 and older have neither; only those of confirmed reservations have a receipt.
    pairs, exposure, *receipts = rest or ([], None)
    context = tuple((key, entry) for key, entry in pairs)
    shown = Exposure(*exposure) if exposure else None
    event = Event(id_, user, item, signal, value_, at_us, recommendation, context, shown)
    receipt = Receipt(*receipts[0]) if receipts else None
    return LogRow(event, version, accepted_at_us, receipt)


def encode_reserved(recommendation_id: str, impressions: Iterable[ReservedImpression]) -> bytes:
    """Encodes the impressions reserved for a recommendation."""
    return _encode_json([recommendation_id, [dataclasses.astuple(one) for one in impressions]])


@sound("reservations")
def decode_reserved(value: bytes) -> tuple[str, list[ReservedImpression]]:
    """The inverse of `encode_reserved`."""
    recommendation_id, rows = _decode_json(value, "reservations")
    return recommendation_id, [
        ReservedImpression(
            item, at_us, lapses_at_us, tuple((key, window) for key, window in caps), *rest
        )
        for item, at_us, lapses_at_us, caps, *rest in rows
    ]


def encode_balance(account: AdAccount) -> bytes:
    """Encodes the sums of an account."""
    return _encode_json(dataclasses.astuple(account))


@sound("balance")
def decode_balance(value: bytes) -> AdAccount:
    """The inverse of `encode_balance`."""
    return AdAccount(*_decode_json(value, "balance"))


def encode_item(stored: StoredItem) -> bytes:
    """Encodes an item."""
    item = stored.item
    return _encode_json([item.id, item.text, dict(item.attributes), stored.number, stored.alive])


@sound("item")
def decode_item(value: bytes) -> StoredItem:
    """The inverse of `encode_item`."""
    id_, text, attributes, number, alive = _decode_json(value, "item")
    return StoredItem(Item(id_, text, attributes), number, alive)


def encode_head(head: CatalogHead) -> bytes:
    """Encodes the catalog's head."""
    return _encode_json(dataclasses.asdict(head))


@functools.lru_cache(maxsize=4)
@sound("catalog head")
def decode_head(value: bytes) -> CatalogHead:
    """The inverse of `encode_head`; cached, since every call reads it and it rarely changes."""
    return CatalogHead(**_decode_json(value, "catalog head"))


def encode_published(published: Published) -> bytes:
    """Encodes an entry of the log of releases."""
    return _encode_json(dataclasses.asdict(published))


@sound("log of releases")
def decode_published(value: bytes) -> Published:
    """The inverse of `encode_published`."""
    return Published(**_decode_json(value, "log of releases"))


def encode_settings(settings: Mapping[str, str]) -> bytes:
    """Encodes the settings that a server was given, by name."""
    return _encode_json(dict(settings))


@sound("settings")
def decode_settings(value: bytes) -> dict[str, str]:
    """The inverse of `encode_settings`."""
    return {str(name): str(text) for name, text in _decode_json(value, "settings").items()}


def encode_rollout(rollout: Rollout) -> bytes:
    """Encodes a rollout."""
    return _encode_json(dataclasses.asdict(rollout))


@functools.lru_cache(maxsize=4)
@sound("rollout")
def decode_rollout(value: bytes) -> Rollout:
    """The inverse of `encode_rollout`; cached, since every call reads it."""
    fields = _decode_json(value, "rollout")
    return Rollout(**{**fields, "head": CatalogHead(**fields["head"])})


def encode_sums(sums: Sums) -> bytes:
    """Encodes the sums of a rollout."""
    return seal(sums.astype("<f8").tobytes())


@sound("sums of a rollout")
def decode_sums(value: bytes) -> Sums:
    """The inverse of `encode_sums`."""
    sums = no_sums()
    sums[:] = np.frombuffer(unseal(value, "sums of a rollout"), "<f8").reshape(sums.shape)
    return sums


def encode_change(change: CatalogChange) -> bytes:
    """Encodes an entry of the catalog log."""
    return _encode_json([change.id, change.number, change.alive])


@sound("catalog log")
def decode_change(value: bytes) -> CatalogChange:
    """The inverse of `encode_change`."""
    return CatalogChange(*_decode_json(value, "catalog log"))


def encode_counters(counters: Counters) -> bytes:
    """Encodes the counters of an item."""
    payload = _COUNTERS.pack(counters.positives, counters.impressions, counters.as_of_us)
    exact = counters.exact
    if exact is not None:
        payload += _TIME.pack(exact.half_life_us)
        for mantissa, exponent in (exact.positives, exact.impressions):
            size = (mantissa.bit_length() + 7) // 8
            payload += _EXACT.pack(exponent, size) + mantissa.to_bytes(size, "little")
    return seal(payload)


@sound("counters")
def decode_counters(value: bytes) -> Counters:
    """The inverse of `encode_counters`; rows of schema 6 and older have no exact sums."""
    payload = unseal(value, "counters")
    positives, impressions, as_of_us = _COUNTERS.unpack_from(payload)
    place = _COUNTERS.size
    if len(payload) == place:
        return Counters(positives, impressions, as_of_us)
    half_life_us: int = _TIME.unpack_from(payload, place)[0]
    place += _TIME.size
    sums = []
    for _ in range(2):
        exponent, size = _EXACT.unpack_from(payload, place)
        place += _EXACT.size + size
        mantissa = int.from_bytes(payload[place - size : place], "little")
        sums.append(ExactSum(mantissa, exponent))
    if place != len(payload):
        raise ValueError(f"got {len(payload)} bytes, expected {place}")
    return Counters(positives, impressions, as_of_us, ExactCounters(half_life_us, *sums))


def encode_vector(vector: Vector) -> bytes:
    """Encodes the vector of a text or the residual of an item, shape (d,)."""
    return seal(vector.astype(_FLOAT).tobytes())


@sound("vector")
def decode_vector(value: bytes) -> Vector:
    """The inverse of `encode_vector`."""
    return np.frombuffer(unseal(value, "vector"), _FLOAT)
