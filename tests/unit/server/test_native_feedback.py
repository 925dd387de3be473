"""One law, two implementations: what the compiled feedback writes and says, NumPy does as well."""

from __future__ import annotations

import dataclasses
import math
import random
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.config import Config
from penchant.domain.errors import InvalidRequest, PenchantError
from penchant.domain.limits import Limits
from penchant.domain.rewards import Signal
from penchant.domain.settings import FoldSettings
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.window import digest64
from penchant.encoder.bag_of_words import BagOfWords
from penchant.encoder.library import EncoderLibrary
from penchant.server.app import App, build
from penchant.server.plans import SMALL_EVENTS
from penchant.store import codec
from penchant.store.base import Store
from penchant.store.counters import scan_counters
from penchant.store.keys import Kind, encode
from penchant.store.users import read_log
from penchant.system.native_module import NATIVE_VARIABLE
from penchant.wire.call import parse_call
from penchant_proto.v1.service_pb2 import Call, Reply
from tests.support.calls import ALL_MODELS, forget_call, put_films, read_answer
from tests.support.histories import FILMS
from tests.support.world import NOW_US, CountingMeter

penchant_native = pytest.importorskip("penchant_native", reason="not built: pip install ./native")

DAY_US = 86_400_000_000
LIMITS = penchant_native.FeedbackLimits(
    events=SMALL_EVENTS,
    id_bytes=256,
    event_id_bytes=128,
    recommendation_id_bytes=64,
    context_entries=32,
    context_bytes=128,
)
SIGNALS = {
    **DEFAULT_SIGNALS,
    "watched": Signal(0.0, weight=0.7, neutral=30.0, scale=60.0, value_min=0.0, value_max=240.0),
    "seen long": Signal(0.3, wait_s=86_400.5),
    "loves ü": Signal(1.0, weight=1.5),
}
FOLD = FoldSettings(window_events=9, context_halvings=1.5)


class Shop:
    """An app over a store in memory, with a clock that can be set."""

    def __init__(
        self,
        directory: Path,
        *,
        native: bool,
        fold: FoldSettings = FOLD,
        half_life_s: float = 14 * 86400.0,
    ) -> None:
        directory.mkdir(exist_ok=True)
        self.now_us = NOW_US
        self.native = native
        self.meter = CountingMeter()
        config = Config(
            store="memory:",
            encoder=directory,
            catalog_dir=directory,
            fold=fold,
            signals=SIGNALS,
            offset_half_life_s=half_life_s,
        )
        with self.chosen():
            encoders = EncoderLibrary(BagOfWords())
            self.app: App = build(ALL_MODELS, config, encoders, self.meter, lambda: self.now_us)
            put_films(self.app)

    @contextmanager
    def chosen(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            if not self.native:
                patch.setenv(NATIVE_VARIABLE, "off")
            yield

    def together(self, calls: Sequence[Call]) -> list[Reply | PenchantError]:
        """The replies to calls that arrived together."""
        with self.chosen():
            parsed = [self.app.dispatch.parse(call.SerializeToString()) for call in calls]
            whole = [one for one in parsed if not isinstance(one, PenchantError)]
            answers = iter(self.app.dispatch.answer(whole))
            return [
                one if isinstance(one, PenchantError) else read_answer(next(answers))
                for one in parsed
            ]

    def rows(self) -> list[tuple[bytes, bytes]]:
        tombstone = encode(Kind.TOMBSTONE)  # They hold a random receipt.
        with self.app.store.snapshot() as snapshot:
            return [row for row in snapshot.scan(b"") if not row[0].startswith(tombstone)]

    def offsets(self) -> list[float]:
        """The live offsets that rankings see."""
        assert self.app.catalogs is not None
        view = self.app.catalogs.served.latest
        assert view is not None
        return [float(offset) for offset in view.offsets]


def both(
    directory: Path, fold: FoldSettings = FOLD, half_life_s: float = 14 * 86400.0
) -> tuple[Shop, Shop]:
    native, numpy = (
        Shop(directory / name, native=name == "native", fold=fold, half_life_s=half_life_s)
        for name in ("native", "numpy")
    )
    return native, numpy


def told(replies: Sequence[Reply | PenchantError]) -> list[object]:
    return [str(one) if isinstance(one, PenchantError) else one for one in replies]


def must_agree(shops: tuple[Shop, Shop], *batches: Sequence[Call]) -> None:
    """Both answer alike, hold the same rows, and have measured the same."""
    native, numpy = shops
    for batch in batches:
        assert told(native.together(batch)) == told(in_its_transactions(numpy, batch))
        assert native.rows() == numpy.rows()
    mine, wanted = native.meter, numpy.meter
    assert sorted(map(repr, mine.seen)) == sorted(map(repr, wanted.seen))
    assert mine.folds == wanted.folds
    assert sum(mine.committed) == sum(wanted.committed)
    assert mine.refusals == wanted.refusals


def in_its_transactions(numpy: Shop, batch: Sequence[Call]) -> list[Reply | PenchantError]:
    """As `Shop.together`, in the transactions of the compiled way.

    Calls that its parser declines are taken after the others; in a transaction with them, their
    events would move the clock of the others' folds.
    """
    parsed = [taken_natively(call) for call in batch]
    replies: dict[int, Reply | PenchantError] = {}
    for native in (True, False):
        places = [place for place, taken in enumerate(parsed) if taken is native]
        answers = numpy.together([batch[place] for place in places])
        replies |= dict(zip(places, answers, strict=True))
    return [replies[place] for place in range(len(batch))]


def taken_natively(call: Call) -> bool:
    return penchant_native.parse_feedback_call(call.SerializeToString(), LIMITS) is not None


TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def calls_of(draw: st.DrawFn, user: str, event_ids: Iterator[int]) -> Call:
    """A call of one user's events: most of them plain, some refused, repeated, or rare."""
    call = Call(timeout_ms=draw(st.sampled_from([0, 200])))
    call.feedback.SetInParent()
    for _ in range(draw(st.integers(1, 3))):
        fresh = draw(st.integers(0, 9)) > 0
        event = call.feedback.events.add(
            event_id=f"e{next(event_ids)}" if fresh else "again é\U0001f600",
            user=user,
            item=draw(st.sampled_from([*FILMS, *FILMS, "nope"])),
            signal=draw(st.sampled_from([*SIGNALS, "like", "impression", "lick"])),
        )
        if draw(st.booleans()):
            event.value = draw(st.one_of(st.integers(1, 5).map(float), NUMBERS))
        if draw(st.booleans()):
            ago_us = draw(
                st.sampled_from([0, 1, 5_000_000, 3 * DAY_US, -200_000_000, -400_000_000])
            )
            event.occurred_at_us = NOW_US - ago_us
        if draw(st.booleans()):
            event.recommendation_id = draw(st.sampled_from(["r1", "r2", "a\u0085b"]))
        for key in draw(st.sets(st.one_of(st.sampled_from(["room", "hour"]), TEXTS), max_size=7)):
            event.context[key] = draw(TEXTS)
        if draw(st.booleans()):
            event.exposure.position = draw(st.integers(0, 2**32 - 1))
            event.exposure.propensity = draw(
                st.one_of(st.floats(0, 1), st.sampled_from([0.1, 0.25, -0.0, 1e-9, 0.99999, 1.5]))
            )
            event.exposure.score = draw(NUMBERS)
            event.exposure.propensity_estimated = draw(st.booleans())
    return call


@st.composite
def days(draw: st.DrawFn) -> list[list[Call]]:
    """Batches of calls that arrive together; each of a batch is another user's."""
    ids = iter(range(10_000))
    users = ["ann", "ben é", "\u200bzoe"]
    return [
        [
            draw(calls_of(user, ids))
            for user in draw(st.lists(st.sampled_from(users), min_size=1, unique=True))
        ]
        for _ in range(draw(st.integers(1, 5)))
    ]


@given(batches=days())
def test_a_store_does_not_tell_which_way_its_calls_went(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Call]]
) -> None:
    must_agree(both(tmp_path_factory.mktemp("shops")), *batches)


def call_of(*events: Mapping[str, object]) -> Call:
    call = Call()
    call.feedback.SetInParent()
    for number, event in enumerate(events):
        call.feedback.events.add(
            **{"event_id": f"e{number}", "user": "ann", "item": "toy", "signal": "like", **event}
        )
    return call


def test_the_usual_events_are_plain_and_take_one_step(tmp_path: Path) -> None:
    shop, _ = both(tmp_path)
    shop.together([call_of({})])  # The first event after a quiet day moves the clock of folds.
    usual: list[dict[str, object]] = [
        {},
        {"signal": "rating", "value": 4.5},
        {"signal": "impression", "recommendation_id": "r1"},
        {"signal": "click", "occurred_at_us": NOW_US - 1, "context": {"room": "hall"}},
        {"signal": "dislike", "exposure": {"position": 3, "propensity": 0.5, "score": 1.25}},
    ]
    for number, event in enumerate(usual):
        call = call_of({"event_id": f"u{number}", **event})
        assert taken_natively(call), event
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("penchant.service.feedback.FeedbackBatch", None)  # Nobody may need it.
            (reply,) = shop.together([call])
        assert isinstance(reply, Reply)
        assert reply.feedback.results[0].state_version == number + 2


def test_rankings_see_the_counters_of_plain_calls_at_once(tmp_path: Path) -> None:
    shops = both(tmp_path)
    must_agree(shops, [call_of({}), call_of({"user": "ben", "event_id": "f"})])
    native, numpy = (shop.offsets() for shop in shops)
    assert max(native) > 0
    assert native == numpy


@pytest.mark.parametrize(
    "event",
    [
        {"signal": "purchase"},
        {"event_id": ""},
        {"event_id": "x" * 129},
        {"user": "a\x07b"},
        {"user": "x" * 257},
        {"item": "nope"},
        {"signal": "lick"},
        {"signal": "rating"},
        {"signal": "rating", "value": 99.0},
        {"value": math.nan},
        {"occurred_at_us": -1},
        {"occurred_at_us": NOW_US + 301_000_000},
        {"recommendation_id": "x" * 65},
        {"context": {"k": "v" * 129}},
        {"context": {f"k{number}": "v" for number in range(33)}},
        {"exposure": {"propensity": 1.5}},
        {"exposure": {"propensity": math.nan}},
        {"exposure": {"score": math.inf}},
    ],
)
def test_what_is_not_plain_is_said_as_numpy_says_it_beside_calls_that_are(
    tmp_path: Path, event: dict[str, object]
) -> None:
    mixed = [call_of({"user": "ben"}), call_of(event), call_of({"event_id": "f"}, event)]
    must_agree(both(tmp_path), mixed[:2], mixed[2:])


def test_a_call_is_taken_whole_or_not_at_all(tmp_path: Path) -> None:
    call = call_of({}, {"event_id": "f", "item": "nope"}, {"event_id": "e0"}, {"event_id": "g"})
    must_agree(both(tmp_path), [call, call_of({"user": "ben"})], [call])


def test_an_event_id_that_comes_twice_at_once_counts_once(tmp_path: Path) -> None:
    same = [call_of({"user": "ann"}), call_of({"user": "ann"}), call_of({"user": "ben"})]
    shops = both(tmp_path)
    must_agree(shops, same, same)
    other = call_of({"item": "bug"})  # Another event under an id that is taken.
    must_agree(shops, [other])
    with shops[0].app.store.snapshot() as snapshot:
        assert len(read_log(snapshot, "ann")) == 1


def test_a_forgotten_user_stays_forgotten_and_others_stay_plain(tmp_path: Path) -> None:
    shops = both(tmp_path)
    must_agree(shops, [call_of({}, {"event_id": "f", "user": "ben"})])
    for shop in shops:
        shop.together([forget_call("ann")])
    early = call_of({"occurred_at_us": NOW_US - 5}, {"user": "ben", "event_id": "g"})
    must_agree(shops, [early], [call_of({"user": "ben", "event_id": "h"})])
    for shop in shops:
        shop.now_us += DAY_US
    must_agree(shops, [call_of({"event_id": "new"})])


def test_an_impression_that_confirms_a_reservation_is_not_plain(tmp_path: Path) -> None:
    shops = both(tmp_path)
    reserve = Call()
    reserve.reserve.user, reserve.reserve.recommendation_id = "ann", "r1"
    reserve.reserve.n = 1
    option = reserve.reserve.options.add(item="toy")
    option.caps.add(key="toy", limit=1, window_s=3600)
    must_agree(shops, [reserve])
    shown = {"signal": "impression", "recommendation_id": "r1"}
    must_agree(shops, [call_of(shown)], [call_of({**shown, "event_id": "f"})])


def test_a_deleted_item_is_unknown_and_an_id_that_is_put_again_is_the_new_item(
    tmp_path: Path,
) -> None:
    shops = both(tmp_path)
    delete = Call()
    delete.delete_items.ids.append("toy")
    must_agree(shops, [call_of({})], [delete], [call_of({"event_id": "f"})])
    for shop in shops:
        put_films(shop.app)
    must_agree(shops, [call_of({"event_id": "g"})])


def damaged_record(store: Store) -> None:
    change(store, encode(Kind.USER, "ann"), lambda value: value[:-3] + b"abc")


def cut_record(store: Store) -> None:
    change(store, encode(Kind.USER, "ann"), lambda value: value[:40])


def empty_record(store: Store) -> None:
    change(store, encode(Kind.USER, "ann"), lambda value: b"")


def damaged_counters(store: Store) -> None:
    change(store, encode(Kind.COUNTERS, number_of(store)), lambda value: value[:-1] + b"\x77")


def counters_of_an_older_release(store: Store) -> None:
    change(store, encode(Kind.COUNTERS, number_of(store)), lambda value: codec.seal(value[5:29]))


def counters_of_another_half_life(store: Store) -> None:
    def halved(value: bytes) -> bytes:
        return codec.seal(value[5:29] + struct.pack("<q", 7) + value[37:])

    change(store, encode(Kind.COUNTERS, number_of(store)), halved)


def no_counters(store: Store) -> None:
    change(store, encode(Kind.COUNTERS, number_of(store)), None)


def damaged_contribution(store: Store) -> None:
    key = encode(Kind.CONTRIBUTION, number_of(store), "ann")
    change(store, key, lambda value: codec.seal(value[5:]) + b"x")


def negative_contribution(store: Store) -> None:
    key = encode(Kind.CONTRIBUTION, number_of(store), "ann")
    change(store, key, lambda value: codec.seal(struct.pack("<d", -1.0) + value[13:]))


def number_of(store: Store) -> int:
    with store.snapshot() as snapshot:
        return next(number for number, found in scan_counters(snapshot) if found.as_of_us == NOW_US)


def change(store: Store, key: bytes, to: Callable[[bytes], bytes] | None) -> None:
    with store.transaction() as transaction:
        value = transaction.get(key)
        assert value is not None
        if to is None:
            transaction.delete(key)
        else:
            transaction.put(key, to(value))


@pytest.mark.parametrize(
    "damage",
    [
        *(damaged_record, cut_record, empty_record, damaged_counters, no_counters),
        *(counters_of_an_older_release, counters_of_another_half_life),
        *(damaged_contribution, negative_contribution),
    ],
)
def test_what_the_codec_has_to_look_at_is_left_to_it(
    tmp_path: Path, damage: Callable[[Store], None]
) -> None:
    shops = both(tmp_path)
    must_agree(shops, [call_of({})])
    for shop in shops:
        damage(shop.app.store)
    more = [{"event_id": "f"}, {"event_id": "g", "user": "ben"}, {"event_id": "h"}]
    must_agree(shops, *[[call_of(event)] for event in more])


def test_a_fold_that_the_module_declines_is_made_by_numpy(tmp_path: Path) -> None:
    """Once in some hundred folds; here, all of them, by a prior that no bound holds for."""
    fold = dataclasses.replace(FOLD, catalog_weight=0.0, ridge=1e-13)
    batches = [
        [call_of({"user": user, "event_id": f"{number}"}) for user in ("ann", "ben")]
        for number in range(3)
    ]
    must_agree(both(tmp_path, fold), *batches)


@pytest.mark.parametrize("updater", ["diagonal", "logistic"])
def test_an_updater_without_a_compiled_way_takes_the_general_one(
    tmp_path: Path, updater: str
) -> None:
    must_agree(both(tmp_path, dataclasses.replace(FOLD, updater=updater)), [call_of({})])


def test_counters_that_live_through_years_stay_exact(tmp_path: Path) -> None:
    shops = both(tmp_path)
    rng = random.Random(5)
    for number in range(60):
        for shop in shops:
            shop.now_us += rng.choice([1, 1000, DAY_US, 400 * DAY_US])
        event: dict[str, object] = {"event_id": f"y{number}", "user": rng.choice(["ann", "ben"])}
        if number % 3 == 0:
            event["occurred_at_us"] = shops[0].now_us - rng.randrange(900 * DAY_US)
        shops[1].now_us = shops[0].now_us
        must_agree(shops, [call_of(event)])


@pytest.mark.parametrize("seed", range(3))
def test_a_number_in_the_log_is_written_as_python_writes_it(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = [0.0, -0.0, 1e16, 1e15, 123456789012345680.0, 1e-4, 1e-5, 5e-324, 1.7e308, 0.1, 2.5]
    scores += [*rng.standard_normal(40), *(10.0 ** rng.integers(-30, 30, 40))]
    scores += [math.ldexp(1.0, int(exponent)) for exponent in rng.integers(-1000, 1000, 60)]
    shop = Shop(tmp_path / "one", native=True)
    for start in range(0, len(scores), SMALL_EVENTS):
        some = scores[start : start + SMALL_EVENTS]
        events = [
            {"event_id": f"n{start + number}", "exposure": {"score": float(score)}}
            for number, score in enumerate(some)
        ]
        shop.together([call_of(*events)])
    with shop.app.store.snapshot() as snapshot:
        rows = {row.event.event_id: row for row in read_log(snapshot, "ann")}
        for number, score in enumerate(scores):
            row = rows[f"n{number}"]
            assert row.event.exposure is not None
            assert math.copysign(1, row.event.exposure.score) == math.copysign(1, score)
            assert row.event.exposure.score == score
            kept = snapshot.get(encode(Kind.LOG, "ann", digest64(row.event.event_id)))
            assert kept == codec.encode_log_row(row)


@given(payload=st.binary(max_size=200))
def test_whatever_is_parsed_is_a_call_for_protobuf_as_well(payload: bytes) -> None:
    call = penchant_native.parse_feedback_call(payload, LIMITS)
    if call is not None:
        field, message, *_ = parse_call(payload)
        assert field == "feedback"
        assert [event.user for event in message.events] == call.users
        assert call.payload == payload


def a_call_that_protobuf_refuses(item: str) -> bytes:
    """With a tag of more bytes than protobuf reads, though its value is right."""
    event = call_of({"user": "eve", "item": item}).feedback.events[0].SerializeToString()
    event = b"\x8a\x80\x80\x80\x80\x00" + event[1:]
    events = b"\x0a" + bytes([len(event)]) + event
    return b"\x12" + bytes([len(events)]) + events


@pytest.mark.parametrize("item", ["toy", "nope"])
def test_what_protobuf_refuses_is_refused_alone(tmp_path: Path, item: str) -> None:
    good, bad = call_of({"user": "ben"}).SerializeToString(), a_call_that_protobuf_refuses(item)
    for shop in both(tmp_path):
        with shop.chosen():
            parsed = [shop.app.dispatch.parse(payload) for payload in (good, bad)]
            assert isinstance(parsed[1], PenchantError)
            (reply,) = shop.together([call_of({"user": "ben"})])
        assert isinstance(reply, Reply)


@given(size=st.integers(2, 10), field=st.sampled_from([1, 2, 4]))
def test_a_tag_has_as_many_bytes_as_protobuf_reads(size: int, field: int) -> None:
    call = call_of({})
    event = call.feedback.events[0].SerializeToString()
    tag = bytes([field << 3 | 2])
    longer = bytes([tag[0] | 0x80, *[0x80] * (size - 2), 0])
    event = event.replace(tag, longer, 1)
    events = b"\x0a" + bytes([len(event)]) + event
    payload = b"\x12" + bytes([len(events)]) + events
    try:
        field_, message, *_ = parse_call(payload)
        known = field_ == "feedback" and message == call.feedback
    except PenchantError:
        known = False
    assert (penchant_native.parse_feedback_call(payload, LIMITS) is not None) == known


def test_a_call_that_the_compiled_way_alone_has_parsed_costs_nobody_else_the_reply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should both parsers differ in anything."""
    shop, _ = both(tmp_path)
    shop.together([call_of({})])
    calls = [call_of({"user": user, "item": item}) for user, item in (("ben", "toy"), ("eve", "x"))]
    refused = InvalidRequest("REQUEST: got something else")

    def parse(payload: bytes) -> object:
        raise refused

    for module in ("dispatch", "native_feedback"):
        monkeypatch.setattr(f"penchant.server.{module}.parse_call", parse)
    good, bad = shop.together(calls)
    assert isinstance(good, Reply)
    assert bad is refused


def test_a_call_that_the_parser_declines_is_taken_after_the_others(tmp_path: Path) -> None:
    shops = both(tmp_path)
    old: dict[str, object] = {"occurred_at_us": NOW_US - 3 * DAY_US}
    declined = call_of({"event_id": "now"}, {"recommendation_id": "a\x85b"})
    assert not taken_natively(declined)
    must_agree(shops, [call_of(old)], [declined, call_of({"user": "ben", **old})])


def test_an_event_after_a_quiet_day_is_folded_as_of_the_newest_of_its_batch(tmp_path: Path) -> None:
    shops = both(tmp_path)
    must_agree(shops, [call_of({})])
    for shop in shops:
        shop.now_us += 10 * DAY_US
    old = {"event_id": "old", "occurred_at_us": NOW_US + 5}
    now = {"event_id": "now", "user": "ben", "signal": "purchase"}
    must_agree(shops, [call_of(old), call_of(now)])


def test_counters_whose_exponent_has_no_room_are_refused_either_way(tmp_path: Path) -> None:
    shops = both(tmp_path, half_life_s=1.0)
    for shop in shops:
        shop.now_us = 2_200_000_000_000_000
    native, numpy = (shop.together([call_of({})]) for shop in shops)
    assert [type(one) for one in native] == [type(one) for one in numpy]
    assert shops[0].rows() == shops[1].rows()


def test_only_small_calls_of_feedback_within_the_limits_are_parsed() -> None:
    assert taken_natively(call_of(*[{"event_id": f"e{n}"} for n in range(SMALL_EVENTS)]))
    assert not taken_natively(call_of(*[{"event_id": f"e{n}"} for n in range(SMALL_EVENTS + 1)]))
    assert not taken_natively(call_of())
    assert not taken_natively(forget_call("ann"))
    assert penchant_native.parse_feedback_call("text", LIMITS) is None
    assert Limits().events > SMALL_EVENTS
