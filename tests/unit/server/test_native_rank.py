"""One law, two implementations: what the compiled rank answers, NumPy answers as well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.domain.errors import PenchantError
from penchant.domain.limits import Limits
from penchant.domain.rollout import Rollout
from penchant.domain.signal_weights import signal_code
from penchant.domain.types import NO_WAIT, WINDOW_DTYPE, Record, UserState
from penchant.server.user_names import UserNames
from penchant.service.meter import SilentMeter
from penchant.service.rank import check_rank
from penchant.service.user_interest import Catalogs, Offered
from penchant.store.guarded_store import GuardedStore
from penchant.store.keys import Kind, encode
from penchant.store.remembered_rows import RememberedRows
from penchant.store.users import write_user
from penchant.wire.call import parse_call
from penchant.wire.rank import rank_request
from penchant_proto.v1.rank_pb2 import RankRequest
from penchant_proto.v1.service_pb2 import Call, Reply
from tests.support.absent_store import AbsentStore
from tests.support.native_shop import DAY_US, NOW_US, USER, Shop, any_numbers, eighths

penchant_native = pytest.importorskip("penchant_native", reason="not built: pip install ./native")
from penchant.server.native_rank import NativeRank  # noqa: E402  # It imports the module.


@st.composite
def any_call(draw: st.DrawFn) -> Callable[[Shop], Call]:
    """A call of rank that may be anything that a caller sends."""
    ids = draw(
        st.none() | st.lists(st.integers(-2, 999), max_size=300, unique=draw(st.integers(0, 9)) > 0)
    )
    call = Call(timeout_ms=draw(st.sampled_from([0, 250])), health_check=draw(st.booleans()))
    request = call.rank
    request.user = draw(st.sampled_from([USER, USER, USER, "nobody", "", "\u0085", "x" * 300]))
    request.k = draw(st.sampled_from([1, 2, 5, 10, 100, 0, 2000]))
    request.exclude_seen = draw(st.booleans())
    request.exclude_owned = draw(st.booleans())
    request.min_state_version = draw(st.sampled_from([0, 0, 0, 1, 9]))
    if draw(st.integers(0, 5)) == 0:
        request.as_of_us = draw(st.sampled_from([NOW_US, 0, -1, 2**53]))
    if draw(st.integers(0, 5)) == 0:
        request.context["device"] = draw(st.sampled_from(["phone", "x" * 200]))
    if draw(st.integers(0, 9)) == 0:
        request.explain = True
    if draw(st.integers(0, 9)) == 0:
        request.explore.plackett_luce.temperature = 1.0
        request.explore.seed = 7

    def of(shop: Shop) -> Call:
        if ids is not None:
            request.candidates.SetInParent()
            request.candidates.ids.extend(f"item {number % (shop.rows + 5)}" for number in ids)
        return call

    return of


def test_most_calls_are_answered_by_the_compiled_way() -> None:
    shop = Shop(3, 50, eighths)
    call = Call()
    call.rank.user, call.rank.k = "nobody", 5
    native, _, _ = shop.answers(call)
    assert native is not None
    assert len(native.rank.items) == 5


@settings(max_examples=150)
@given(seed=st.integers(0, 2**32), rows=st.integers(1, 1200), call_of=any_call())
def test_both_ways_give_the_same_reply_byte_for_byte_where_nothing_rounds(
    seed: int, rows: int, call_of: Callable[[Shop], Call]
) -> None:
    shop = Shop(seed, rows, eighths)
    native, written, general = shop.answers(call_of(shop))
    if native is None:
        return
    assert isinstance(general, Reply)
    general.rank.recommendation_id = native.rank.recommendation_id
    assert native == general
    assert written == general.SerializeToString()


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), rows=st.integers(1, 400), call_of=any_call())
def test_both_ways_give_scores_that_differ_by_rounding_alone(
    seed: int, rows: int, call_of: Callable[[Shop], Call]
) -> None:
    shop = Shop(seed, rows, any_numbers)
    native, _, general = shop.answers(call_of(shop))
    if native is None:
        return
    assert isinstance(general, Reply)
    theirs = [item.score for item in general.rank.items]
    # Relative to the parts of a score, which may cancel each other out.
    rounding = 1e-6 * max([16.0, *map(abs, theirs)])
    assert [item.score for item in native.rank.items] == pytest.approx(theirs, abs=rounding)
    by_id = {item.id: item.score for item in general.rank.items}
    for mine, other in zip(native.rank.items, general.rank.items, strict=True):
        if mine.id != other.id:  # Two scores closer than what is rounded off.
            assert by_id.get(mine.id, other.score) == pytest.approx(other.score, abs=rounding)


@pytest.mark.parametrize("candidates", [0, 30])
def test_a_stale_fold_is_folded_in_the_call_as_numpy_folds_it(candidates: int) -> None:
    answered = 0
    for seed in range(20):
        shop = Shop(seed, 60, any_numbers)
        window = np.zeros(40, WINDOW_DTYPE)
        window["occurred_at_us"] = np.sort(NOW_US - shop.rng.integers(0, 9 * DAY_US, 40))
        window["event"] = np.arange(40)
        window["item"] = shop.rng.integers(0, 63, 40)
        window["reward"] = shop.rng.random(40) * 2 - 1
        window["weight"] = 1.0
        window["wait_s"] = NO_WAIT
        with shop.store.transaction() as transaction:
            write_user(transaction, USER, UserState(Record(40, window)))
        call = Call()
        call.rank.user, call.rank.k = USER, 10
        call.rank.candidates.ids.extend(f"item {number}" for number in range(candidates))
        if not candidates:
            call.rank.ClearField("candidates")
        native, _, general = shop.answers(call)
        if native is None:
            continue
        answered += 1
        assert isinstance(general, Reply)
        theirs = [item.score for item in general.rank.items]
        scores = [item.score for item in native.rank.items]
        assert scores == pytest.approx(theirs, abs=1e-5 * max(map(abs, theirs)))
    assert answered >= 10  # The rest has another updater than `ridge`, or a sum too near a half.


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), basket=st.sampled_from([0.0, 2.0]), signals=st.booleans())
def test_repeats_are_those_of_numpy(seed: int, basket: float, signals: bool) -> None:
    shop = Shop(seed, 40, any_numbers)
    rng, count = shop.rng, int(shop.rng.integers(0, 60))
    shop.view = replace(
        shop.view,
        settings=replace(
            shop.view.settings,
            updater="ridge",
            repeat_weight=20.0,
            repeat_basket_weight=basket,
            signal_weights='{"view": 0.25}' if signals else "",
        ),
    )
    window = np.zeros(count, WINDOW_DTYPE)
    window["occurred_at_us"] = np.sort(NOW_US - rng.integers(0, DAY_US // 4, count))
    window["event"] = np.arange(count)
    window["item"] = rng.integers(0, 12, count)
    window["reward"] = rng.choice([-1.0, 0.0, 0.5, 1.0], count)
    window["weight"] = 1.0
    window["wait_s"] = rng.choice([float(NO_WAIT), 0.0, 600.0], count)
    window["recommendation"] = rng.integers(0, 3, count)
    window["signal"] = rng.choice([0, signal_code("view")], count)
    with shop.store.transaction() as transaction:
        write_user(transaction, USER, UserState(Record(count, window)))
    call = Call()
    call.rank.user, call.rank.k = USER, 10
    native, _, general = shop.answers(call)
    if native is None:
        return
    assert isinstance(general, Reply)
    theirs = [item.score for item in general.rank.items]
    scores = [item.score for item in native.rank.items]
    assert scores == pytest.approx(theirs, abs=1e-5 * max([1.0, *map(abs, theirs)]))


def test_a_rollouts_users_are_told_apart_by_their_names_in_the_store() -> None:
    stored, shop = UserNames([b"k" * 32]).stored, Shop(3, 40, eighths)
    assert stored is not None
    head = replace(shop.view.head, version=shop.view.head.version + 1)
    rollout = Rollout("r2", "canary", 0.5, head, NOW_US)
    shop.offered = Offered(shop.view, rollout, replace(shop.view, head=head))
    with shop.store.transaction() as transaction:
        transaction.put(encode(Kind.ROLLOUT), b"any")
    catalogs = cast(Catalogs, shop)
    native = NativeRank(shop.store, catalogs, lambda: NOW_US, SilentMeter(), 50, Limits(), stored)
    for number in range(50):
        parsed = native.parse(Call(rank=RankRequest(user=f"u{number}", k=3)).SerializeToString())
        assert parsed is not None
        (reply,) = native.answer([parsed])
        served = shop.offered.shown_to(stored(f"u{number}")) is shop.view
        assert (reply is not None) == served, number


def test_while_a_store_in_a_network_is_away_calls_take_the_general_way() -> None:
    shop = Shop(3, 40, eighths)
    call = Call()
    call.rank.user, call.rank.k = USER, 5
    expected, written, _ = shop.answers(call)
    assert expected is not None
    remote = AbsentStore(shop.store)
    remote.shared = True
    guarded = GuardedStore(remote, RememberedRows())
    catalogs = cast(Catalogs, shop)
    native = NativeRank(
        guarded, catalogs, lambda: NOW_US, SilentMeter(), 50, Limits(), stored_name=None
    )
    parsed = native.parse(call.SerializeToString())
    assert parsed is not None
    (reply,) = native.answer([parsed])
    assert reply is not None
    assert Reply.FromString(reply).rank.items == expected.rank.items
    assert len(reply) == len(written)
    remote.leave()
    for _ in range(2):  # It is found away, and then known to be.
        assert native.answer([parsed, parsed]) == [None, None]


@settings(max_examples=300)
@given(data=st.data())
def test_what_is_parsed_is_what_protobuf_reads(data: st.DataObject) -> None:
    """Of any bytes near a call; the rest is declined, and refused or answered the general way."""
    shop = SHOP
    payload = bytearray(data.draw(any_call())(shop).SerializeToString())
    for _ in range(data.draw(st.integers(0, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    payload = payload[: data.draw(st.integers(0, len(payload)))]
    call = shop.native.parse(bytes(payload))
    if call is None:
        return
    parts = parse_call(bytes(payload))
    message = parts.message
    assert (parts.field, parts.timeout_ms) == ("rank", call.timeout_ms)
    assert parts.health_check == call.health_check
    assert call.user == message.user
    assert call.candidates == len(message.candidates.ids)
    request = replace(rank_request(message), candidates=None)  # Those named twice are found later.
    check_rank(request, Limits())
    assert (request.query, request.explain, request.explore, request.diversity) == (
        "",
        False,
        None,
        0,
    )


SHOP = Shop(1, 40, eighths)


def test_a_catalog_whose_arrays_do_not_fit_is_refused() -> None:
    ids = penchant_native.ItemIds()
    ids.follow(["a"])
    vector, empty = np.zeros(1, np.float32), np.zeros(0, np.float32)
    for offsets in (empty, np.zeros(2, np.float32)):
        with pytest.raises(ValueError, match="do not fit"):
            penchant_native.RankView(
                ids=ids, vectors=np.zeros((1, 1), np.float32), offsets=offsets,
                offset_weights=vector, popularity=vector, tail=vector,
                alive=np.ones(1, np.bool_), neighbours=np.zeros((0, 0), np.uint32),
                prior_mean=vector, coarse=None, version=1, encoder_version="", digest=1,
                time_bucket_s=1.0, interests=1, slow_weight=1.0, fast_weight=1.0, near_weight=1.0,
                tail_offset_weight=0.0, tail_lift=0.0, opening_offset_weight=0.0,
                knows_contexts=False, repeat_weight=0.0, repeat_half_life_s=1.0,
                repeat_pause_s=0.0, repeat_basket_weight=0.0, fold=None,
            )  # fmt: skip


def test_a_damaged_record_is_declined() -> None:
    shop = Shop(11, 30, eighths)
    call = Call()
    call.rank.user, call.rank.k = USER, 5
    with shop.store.snapshot() as snapshot:
        whole = snapshot.get(encode(Kind.USER, USER))
    assert whole is not None
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        with shop.store.transaction() as transaction:
            transaction.put(encode(Kind.USER, USER), bytes(damaged))
        native, _, general = shop.answers(call)
        assert native is None
        assert isinstance(general, PenchantError)
