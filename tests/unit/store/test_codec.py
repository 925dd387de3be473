"""Encodings: values survive a round trip, and damage is always detected."""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.lib.recfunctions as rfn
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.errors import StateCorrupt, StateTooNew
from penchant.domain.types import (
    RECENT_DTYPE,
    WINDOW_DTYPE,
    CatalogChange,
    CatalogHead,
    Counters,
    Event,
    Exposure,
    FoldKey,
    Interest,
    Item,
    LogRow,
    StoredItem,
    UserState,
)
from penchant.domain.window import empty_record, insert
from penchant.store import codec
from penchant.store.item_contributions import decode_contribution
from penchant.store.ledgers import decode_ledger, decode_spending

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
COUNTS = st.integers(0, 2**53)
DIGESTS = st.integers(0, 2**64 - 1)

CONTEXTS = st.lists(st.tuples(TEXTS, TEXTS), max_size=3).map(tuple)
EXPOSURES = st.builds(Exposure, st.integers(0, 99), FINITE, st.booleans(), FINITE)
TOLD = st.none() | FINITE
EVENTS = st.builds(
    Event, TEXTS, TEXTS, TEXTS, TEXTS, TOLD, COUNTS, TEXTS, CONTEXTS, st.none() | EXPOSURES
)
ROWS = st.builds(LogRow, EVENTS, COUNTS, COUNTS)
ITEMS = st.builds(Item, TEXTS, TEXTS, st.dictionaries(TEXTS, TEXTS, max_size=3))
STORED = st.builds(StoredItem, ITEMS, COUNTS, st.booleans())
HEADS = st.builds(
    CatalogHead, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, TEXTS, COUNTS, COUNTS
)
CHANGES = st.builds(CatalogChange, TEXTS, COUNTS, st.booleans())
COUNTERS = st.builds(Counters, FINITE, FINITE, COUNTS)
SINGLE = st.floats(-1, 1, width=32)
ENTRIES = st.tuples(
    COUNTS,
    DIGESTS,
    DIGESTS,
    st.integers(0, 2**32 - 1),
    SINGLE,
    SINGLE,
    SINGLE,
    SINGLE,
    st.tuples(*[st.integers(0, 2**32 - 1)] * 5),
).map(lambda row: np.array(row, WINDOW_DTYPE).tobytes())


@st.composite
def states(draw: st.DrawFn) -> UserState:
    record = insert(empty_record(), draw(st.lists(ENTRIES, max_size=5)), 4)
    if draw(st.booleans()):
        return UserState(record)
    dimensions = draw(st.integers(1, 5))
    slow, fast = (
        np.array(draw(st.lists(SINGLE, min_size=size, max_size=size)), np.float32)
        for size in (draw(st.integers(1, 3)) * dimensions, dimensions)
    )
    key = FoldKey(draw(COUNTS), draw(COUNTS), draw(DIGESTS), draw(DIGESTS))
    recent = draw(st.lists(st.tuples(st.integers(0, 2**32 - 1), SINGLE), max_size=4))
    return UserState(record, key, Interest(slow, fast, np.array(recent, RECENT_DTYPE)))


Kind = tuple[st.SearchStrategy[Any], Callable[[Any], bytes], Callable[[bytes], Any]]

PLAIN: dict[str, Kind] = {
    "log row": (ROWS, codec.encode_log_row, codec.decode_log_row),
    "item": (STORED, codec.encode_item, codec.decode_item),
    "head": (HEADS, codec.encode_head, codec.decode_head),
    "change": (CHANGES, codec.encode_change, codec.decode_change),
    "counters": (COUNTERS, codec.encode_counters, codec.decode_counters),
}
ARRAYS: dict[str, Kind] = {
    "user": (states(), codec.encode_user, codec.decode_user),
    "vector": (
        st.lists(SINGLE, max_size=5).map(lambda values: np.array(values, np.float32)),
        codec.encode_vector,
        codec.decode_vector,
    ),
}
KINDS = PLAIN | ARRAYS


@pytest.mark.parametrize("kind", PLAIN)
@given(data=st.data())
def test_what_was_encoded_is_decoded(kind: str, data: st.DataObject) -> None:
    values, encode, decode = PLAIN[kind]
    value = data.draw(values)
    assert decode(encode(value)) == value


@given(state=states())
def test_a_user_is_decoded_as_it_was_encoded(state: UserState) -> None:
    decoded = codec.decode_user(codec.encode_user(state))
    assert decoded.record.state_version == state.record.state_version
    assert decoded.record.window.dtype == state.record.window.dtype
    assert decoded.record.window.tobytes() == state.record.window.tobytes()
    assert decoded.key == state.key
    if state.interest is None:
        assert decoded.interest is None
    else:
        assert decoded.interest is not None
        np.testing.assert_array_equal(decoded.interest.slow, state.interest.slow)
        np.testing.assert_array_equal(decoded.interest.fast, state.interest.fast)
        assert decoded.interest.recent.dtype == state.interest.recent.dtype
        assert decoded.interest.recent.tobytes() == state.interest.recent.tobytes()


@given(state=states(), schema=st.integers(1, 3), cached=st.booleans())
def test_an_older_users_record_is_read_without_its_cache(
    state: UserState, schema: int, cached: bool
) -> None:
    window = state.record.window
    names = ["occurred_at_us", "event", "recommendation", "item", "reward", "weight", "wait_s"]
    older = rfn.repack_fields(window[names])
    assert older.itemsize == 40
    payload = struct.pack("<QI", state.record.state_version, len(window)) + older.tobytes()
    if cached:  # Catalog version, time bucket, settings, d, m, then the slow and the fast vector.
        payload += struct.pack("<QqQII", 3, 5, 7, 2, 0) + np.ones(4, "<f4").tobytes()
    checksum = zlib.crc32(payload, 0 if schema == 1 else schema)
    decoded = codec.decode_user(struct.pack("<BI", schema, checksum) + payload)
    assert decoded.record.state_version == state.record.state_version
    assert decoded.record.window.dtype == window.dtype
    assert decoded.record.window[names].tolist() == window[names].tolist()
    assert not decoded.record.window["propensity"].any()
    assert not decoded.record.window["context"].any()
    assert (decoded.key, decoded.interest) == (None, None)


def test_a_log_row_of_schema_3_has_no_context_and_was_not_shown() -> None:
    payload = b'["e","u","i","like",null,7,"r",3,9]'
    row = codec.decode_log_row(struct.pack("<BI", 3, zlib.crc32(payload, 3)) + payload)
    assert row == LogRow(Event("e", "u", "i", "like", None, 7, "r"), 3, 9)


def test_a_head_of_schema_1_has_no_neighbours() -> None:
    payload = b'{"alive":4,"dimensions":8,"encoder_version":"e","generation":2,"version":3}'
    head = codec.decode_head(struct.pack("<BI", 1, zlib.crc32(payload)) + payload)
    assert head == CatalogHead(
        version=3, generation=2, alive=4, dimensions=8, encoder_version="e", neighbours=0
    )


@given(values=st.lists(SINGLE, max_size=8))
def test_a_vector_is_decoded_as_it_was_encoded(values: list[float]) -> None:
    vector = np.array(values, np.float32)
    np.testing.assert_array_equal(codec.decode_vector(codec.encode_vector(vector)), vector)


@given(state=states(), key=st.builds(FoldKey, COUNTS, COUNTS, DIGESTS))
def test_the_record_does_not_depend_on_the_cache(state: UserState, key: FoldKey) -> None:
    interest = Interest(np.ones(3, np.float32), np.ones(3, np.float32))
    cached = codec.decode_user(codec.encode_user(UserState(state.record, key, interest)))
    assert codec.encode_record(cached.record) == codec.encode_record(state.record)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_any_changed_byte_is_noticed(kind: str, data: st.DataObject) -> None:
    values, encode, decode = KINDS[kind]
    sealed = bytearray(encode(data.draw(values)))
    position = data.draw(st.integers(0, len(sealed) - 1))
    sealed[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(StateCorrupt):  # Of a newer release's version, too: it is damaged.
        decode(bytes(sealed))


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_value_cut_short_is_corrupt(kind: str, data: st.DataObject) -> None:
    values, encode, decode = KINDS[kind]
    sealed = encode(data.draw(values))
    if len(sealed) > len(codec.seal(b"")):
        with pytest.raises(StateCorrupt):
            decode(sealed[: data.draw(st.integers(0, len(sealed) - 1))])


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data(), newer=st.integers(codec.SCHEMA_VERSION + 1, 255))
def test_a_newer_schema_is_too_new(kind: str, data: st.DataObject, newer: int) -> None:
    values, encode, decode = KINDS[kind]
    sealed = encode(data.draw(values))
    payload = sealed[len(codec.seal(b"")) :]
    with pytest.raises(StateTooNew, match="upgrade it"):
        decode(struct.pack("<BI", newer, zlib.crc32(payload, newer)) + payload)


DECODERS = [getattr(codec, name) for name in dir(codec) if name.startswith("decode_")]


@pytest.mark.parametrize("decode", [*DECODERS, decode_spending, decode_ledger, decode_contribution])
@given(payload=st.binary(max_size=80) | st.sampled_from([b"{}", b"[]", b"1", b"[[1]]", b'{"a":1}']))
def test_a_sealed_value_of_another_form_is_read_or_corrupt(
    decode: Callable[[bytes], Any], payload: bytes
) -> None:
    with contextlib.suppress(StateCorrupt):
        decode(codec.seal(payload))
