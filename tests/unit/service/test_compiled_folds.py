"""The compiled folds and NumPy's write the same records, byte for byte, or NumPy alone writes."""

from __future__ import annotations

import dataclasses
import random
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.catalog.view import CatalogView
from penchant.domain.errors import StateCorrupt, StateTooNew
from penchant.domain.event_weights import time_bucket
from penchant.domain.interest import Prior, fold, prior_precision
from penchant.domain.settings import FoldSettings
from penchant.domain.signal_weights import signal_code
from penchant.domain.types import WINDOW_DTYPE, CatalogHead, Event, Record, UserState, Window
from penchant.domain.window import insert
from penchant.service.compiled_folds import CompiledFolds
from penchant.service.event_results import EventResult
from penchant.service.record_draft import RecordDraft
from penchant.service.user_interest import fold_key
from penchant.store.base import Store
from penchant.store.codec import SCHEMA_VERSION, decode_user, encode_user, seal
from penchant.store.keys import Kind, encode
from penchant.store.memory import MemoryStore
from penchant.system.native_module import NATIVE_VARIABLE
from tests.support.histories import FILMS
from tests.support.world import NOW_US, World, liked

penchant_native = pytest.importorskip("penchant_native")

ROWS, DAY_US = 40, 86_400_000_000
SIGNALS = ("like", "view", "impression")


def view_of(seed: int, dimensions: int, settings: FoldSettings) -> CatalogView:
    """A catalog of random items, some of them deleted, some numbers of their vectors 0."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((ROWS, dimensions)).astype(np.float32)
    vectors[rng.random(vectors.shape) < 0.2] = 0.0
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-3)
    gram = (vectors.T @ vectors).astype(np.float64) / ROWS
    mean = rng.standard_normal(dimensions) * 0.1
    view = object.__new__(CatalogView)
    parts: dict[str, object] = {
        "head": CatalogHead(version=7, rows=ROWS, dimensions=dimensions),
        "settings": settings,
        "digest": 2**64 - 5,
        "vectors": vectors,
        "prior": Prior(prior_precision(gram, settings), mean),
        "alive": rng.random(ROWS) < 0.9,
    }
    for name, part in parts.items():
        object.__setattr__(view, name, part)
    return view


@st.composite
def windows(draw: st.DrawFn, least: int = 1, most: int = 40) -> Window:
    """Events of few items and times, in order; rewards, weights and waits of any kind."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    count = draw(st.integers(least, most))
    impressions = draw(st.sampled_from([0.0, 0.3, 1.0]))
    rewards = draw(st.sampled_from([(1.0, 0.5, 0.3, -0.3), (-1.0, 0.0), (0.1,), (-0.0, 1.0)]))
    span_us = draw(st.sampled_from([1, 1_000_000_000, 30 * DAY_US, 4000 * DAY_US]))
    window: Window = np.zeros(count, WINDOW_DTYPE)
    window["occurred_at_us"] = NOW_US - rng.integers(0, span_us, count)
    window["event"] = rng.integers(0, 2**63, count)
    window["recommendation"] = rng.integers(0, 3, count)
    window["item"] = rng.integers(0, ROWS + 2, count)
    window["reward"] = rng.choice(rewards, count)
    window["weight"] = rng.choice([0.0, 0.2, 1.0, 2.0], count)
    shown = rng.random(count) < impressions
    window["wait_s"] = np.where(shown, rng.choice([0.0, 1800.0], count), -1.0)
    window["signal"] = rng.choice([signal_code(one) for one in ("", *SIGNALS)], count)
    window["context"] = rng.integers(0, 2, (count, 5)) << 16 | rng.integers(0, 2, (count, 5))
    return window[np.lexsort((window["event"], window["occurred_at_us"]))]


SETTINGS = st.builds(
    FoldSettings,
    window_events=st.sampled_from([1, 3, 256]),
    catalog_weight=st.sampled_from([0.0, 1.0, 100.0]),
    ridge=st.sampled_from([0.01, 10.0]),
    half_life_events=st.sampled_from([1.5, 50.0]),
    half_life_s=st.sampled_from([100.0, 30 * 86400.0]),
    fast_half_life_events=st.sampled_from([0.02, 3.0]),
    near_half_life_events=st.sampled_from([0.1, 5.0]),
    opening_half_life_events=st.sampled_from([0.7, 3.0]),
    context_halvings=st.sampled_from([0.0, 1.7]),
    signal_weights=st.sampled_from(["", '{"view": 0.25}', '{"like": 3.1, "view": 0.0}']),
    time_bucket_s=st.sampled_from([1.0, 600.0]),
    updater=st.sampled_from(["ridge", "ridge", "ridge", "diagonal"]),
)
WORLDS = st.builds(view_of, st.integers(0, 5), st.sampled_from([1, 2, 5, 8, 13, 16, 64]), SETTINGS)


def learnt_by_numpy(view: CatalogView, record: Record, added: Window, bucket: int) -> bytes:
    """The record after a batch, as the NumPy way writes it."""
    rows = [row.tobytes() for row in added]
    record = insert(record, rows, view.settings.window_events)
    window, context = record.window, record.window["context"][-1]
    items = view.items_of(window)
    interest = fold(view.prior, window, items, bucket, view.settings, context)
    return encode_user(UserState(record, fold_key(view, bucket, context), interest))


@given(view=WORLDS, before=windows(least=0), added=windows(most=4), cached=st.booleans())
def test_a_record_is_byte_for_byte_that_of_numpy(
    view: CatalogView, before: Window, added: Window, cached: bool
) -> None:
    bucket = time_bucket(NOW_US, view.settings)
    state = UserState(Record(len(before), before))
    if cached and len(before):
        interest = fold(view.prior, before, view.items_of(before), bucket, view.settings)
        state = UserState(state.record, fold_key(view, bucket, before["context"][0]), interest)
    draft = RecordDraft(state.record, encode_user(state) if len(before) else None)
    draft.added += [row.tobytes() for row in added]
    capacity = view.settings.window_events
    (learnt,) = CompiledFolds().learn(view, [draft], capacity, bucket)
    assert learnt is None or learnt == learnt_by_numpy(view, state.record, added, bucket)


@given(view=WORLDS, window=windows(), number=st.integers(0, 39))
def test_an_interest_is_bit_for_bit_that_of_numpy(
    view: CatalogView, window: Window, number: int
) -> None:
    context = window["context"][number % len(window)]
    bucket = time_bucket(NOW_US, view.settings)
    found = CompiledFolds().interest(view, window, bucket, context)
    items = view.items_of(window)
    wanted = fold(view.prior, window, items, bucket, view.settings, context)
    if found is not None:
        parts = [(one.slow, one.fast, one.recent) for one in (found, wanted)]
        got, expected = ([part.tobytes() for part in some] for some in parts)
        assert got == expected


def likely_window(rng: np.random.Generator, events: int) -> Window:
    window: Window = np.zeros(events, WINDOW_DTYPE)
    window["occurred_at_us"] = np.sort(NOW_US - rng.integers(0, 30 * DAY_US, events))
    window["event"], window["item"] = rng.integers(0, 2**63, events), rng.integers(0, ROWS, events)
    window["reward"], window["weight"] = rng.choice([1.0, 0.5, 0.3, -0.3], events), 1.0
    window["wait_s"] = -1.0
    return window


def test_few_folds_of_the_default_settings_are_left_to_numpy() -> None:
    rng, view = np.random.default_rng(3), view_of(1, 64, FoldSettings())
    bucket, folds, nowhere = time_bucket(NOW_US, view.settings), CompiledFolds(), np.zeros(5, "<u4")
    found = [
        folds.interest(view, likely_window(rng, events), bucket, nowhere)
        for events in [1, 30, 256] * 100
    ]
    assert sum(one is None for one in found) < 30


def test_the_schema_is_the_one_of_the_codec() -> None:
    assert penchant_native.RECORD_SCHEMA == SCHEMA_VERSION


def a_record() -> bytes:
    view = view_of(1, 8, FoldSettings())
    window = likely_window(np.random.default_rng(1), 3)
    return learnt_by_numpy(view, Record(0, window[:0]), window, bucket=5)


def test_a_damaged_record_is_left_to_the_codec_which_refuses_it() -> None:
    whole = a_record()
    assert CompiledFolds().version(whole) == 3
    cut = [whole[:size] for size in range(len(whole))]
    flipped = [
        whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :]
        for place in range(len(whole))
    ]
    for damaged in cut + flipped:
        with pytest.raises((StateCorrupt, StateTooNew)):
            decode_user(damaged)
        assert CompiledFolds().version(damaged) is None


@given(size=st.integers(0, 60), data=st.data())
def test_what_is_taken_for_a_record_is_one_for_the_codec(size: int, data: st.DataObject) -> None:
    """Sealed bytes of any content: where the codec refuses them, so does the module."""
    count = data.draw(st.sampled_from([0, 1, 2**32 - 1]))
    head = struct.pack("<QI", 3, count) + bytes(64 * (count == 1))
    key = struct.pack("<QqQQ", 1, 2, 3, 4)
    lengths = struct.pack("<II", *data.draw(st.tuples(*[st.sampled_from([0, 1, 2, 3, 2**31])] * 2)))
    value = seal(head + data.draw(st.sampled_from([b"", key, key + lengths])) + bytes(size))
    if CompiledFolds().version(value) is not None:
        assert decode_user(value).record.state_version == 3


def everything(store: Store) -> list[tuple[bytes, bytes]]:
    with store.snapshot() as snapshot:
        return list(snapshot.scan(b""))


def events_of(seed: int) -> list[list[Event]]:
    """Batches of several users, some of whose events are late, repeated, or refused."""
    rng = random.Random(seed)
    made = [
        liked(
            f"e{rng.randrange(60)}",
            rng.choice([*FILMS, "nope"]),
            user=f"u{rng.randrange(4)}",
            signal=rng.choice(["like", "view", "impression", "purchase", "lick"]),
            ago_s=rng.choice([0.0, 1.0, 5000.0, 3e6]),
        )
        for _ in range(60)
    ]
    contexts = [(), (("room", "kitchen"),), (("room", "hall"), ("hour", "7"))]
    made = [dataclasses.replace(event, context=rng.choice(contexts)) for event in made]
    return [made[start : start + 7] for start in range(0, len(made), 7)]


Lived = tuple[list[tuple[bytes, bytes]], list[list[EventResult]]]


def lived(directory: Path, damage: Callable[[Store], None], fold: FoldSettings) -> Lived:
    """What a store holds after batches of feedback, and what was answered."""
    directory.mkdir()
    world = World(directory, store=MemoryStore(), fold=fold)
    world.put(**FILMS)
    batches = events_of(5)
    results = [world.feed(*batch) for batch in batches[:6]]
    damage(world.store)
    return everything(world.store), results + [world.feed(*batch) for batch in batches[6:]]


def no_damage(store: Store) -> None:
    pass


def damage_a_record(store: Store) -> None:
    with store.transaction() as transaction:
        value = transaction.get(encode(Kind.USER, "u1"))
        assert value is not None
        transaction.put(encode(Kind.USER, "u1"), value[:-3] + b"abc")
        value = transaction.get(encode(Kind.USER, "u2"))
        assert value is not None
        transaction.put(encode(Kind.USER, "u2"), value[:40])


@pytest.mark.parametrize("damage", [no_damage, damage_a_record])
@pytest.mark.parametrize("halvings", [0.0, 1.5])
def test_a_store_does_not_tell_which_way_its_feedback_went(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    damage: Callable[[Store], None],
    halvings: float,
) -> None:
    settings = FoldSettings(window_events=9, context_halvings=halvings)
    compiled = lived(tmp_path / "compiled", damage, settings)
    monkeypatch.setenv(NATIVE_VARIABLE, "off")
    assert lived(tmp_path / "numpy", damage, settings) == compiled
