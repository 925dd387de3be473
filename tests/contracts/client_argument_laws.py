"""The laws of a client: every argument is taken as what it is, or refused by its own name."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from penchant_sdk import (
    Budget,
    Cap,
    EpsilonGreedy,
    Event,
    Exposure,
    InvalidEvent,
    InvalidRequest,
    Item,
    Pace,
    Penchant,
    PlackettLuce,
    ReserveOption,
    Thompson,
    UserNotFound,
)
from tests.contracts.client_world import Laws, World, some_events, unique

Call = Callable[[Penchant, Any], object]


def _event(**fields: Any) -> Event:
    return Event(**{"user": "u", "item": "i", "signal": "like"} | fields)


def _reserve(penchant: Penchant, option: Any) -> object:
    return penchant.reserve("u", "r", [option], n=1)


def _paced(penchant: Penchant, **changed: Any) -> object:
    plain = Pace(window_s=60, window_micros=1, total_micros=1, left_s=1)
    budget = Budget("k", 1, 1, replace(plain, **changed))
    return _reserve(penchant, ReserveOption("a", (), budget))


TEXTS: dict[str, Call] = {
    "user": lambda p, v: p.rank(v),
    "candidates[1]": lambda p, v: p.rank("u", candidates=["a", v]),
    "query": lambda p, v: p.rank("u", query=v),
    "context['n']": lambda p, v: p.rank("u", context={"n": v}),
    "context: a key": lambda p, v: p.rank("u", context={_hashable(v): "a"}),
    "items[1].id": lambda p, v: p.put_items([Item("a", "a"), Item(v, "b")]),
    "items[0].text": lambda p, v: p.put_items([Item("a", v)]),
    "items[0].attributes['k']": lambda p, v: p.put_items([Item("a", "a", {"k": v})]),
    "ids[1]": lambda p, v: p.get_items(["a", v]),
    "ids[0]": lambda p, v: p.delete_items([v]),
    "texts[0]": lambda p, v: p.embed([v]),
    "encoder_version": lambda p, v: p.embed(["a"], encoder_version=v),
    "recommendation_id": lambda p, v: p.reserve("u", v, [ReserveOption("a")], n=1),
    "options[0].item": lambda p, v: _reserve(p, ReserveOption(v)),
    "options[0].caps[0].key": lambda p, v: _reserve(p, ReserveOption("a", [Cap(v, 1, 1)])),
    "options[0].budget.key": lambda p, v: _reserve(p, ReserveOption("a", (), Budget(v, 1, 1))),
    "from_user": lambda p, v: p.merge_users(v, "a"),
    "to_user": lambda p, v: p.merge_users("a", v),
    "event_id": lambda p, v: p.feedback([_event(event_id=v)]),
    "item": lambda p, v: p.feedback([_event(item=v)]),
    "signal": lambda p, v: p.feedback([_event(signal=v)]),
    "context['room']": lambda p, v: p.feedback([_event(context={"room": v})]),
}
NO_TEXTS = [5, None, b"a", ("a",), np.int64(5), "\ud800", object()]

WHOLE: dict[str, Call] = {
    "k": lambda p, v: p.rank("u", k=v),
    "min_state_version": lambda p, v: p.rank("u", min_state_version=v),
    "seed": lambda p, v: p.rank("u", explore=Thompson(), seed=_given(v)),
    "n": lambda p, v: p.reserve("u", "r", [ReserveOption("a")], n=v),
    "lapse_s": lambda p, v: p.reserve("u", "r", [ReserveOption("a")], n=1, lapse_s=v),
    "options[0].caps[0].limit": lambda p, v: _reserve(p, ReserveOption("a", [Cap("k", v, 1)])),
    "options[0].caps[0].window_s": lambda p, v: _reserve(p, ReserveOption("a", [Cap("k", 1, v)])),
    "options[0].budget.cost_micros": lambda p, v: _reserve(
        p, ReserveOption("a", (), Budget("k", v, 1))
    ),
    "options[0].budget.allowed_micros": lambda p, v: _reserve(
        p, ReserveOption("a", (), Budget("k", 1, v))
    ),
    "options[0].budget.pace.window_s": lambda p, v: _paced(p, window_s=v),
    "options[0].budget.pace.window_micros": lambda p, v: _paced(p, window_micros=v),
    "options[0].budget.pace.total_micros": lambda p, v: _paced(p, total_micros=v),
    "options[0].budget.pace.left_s": lambda p, v: _paced(p, left_s=v),
    "position": lambda p, v: Exposure(position=v),
    "max_attempts": lambda p, v: Penchant(max_attempts=v),
}
NO_WHOLE = ["ten", "5", 1.5, np.float64(2.0), True, np.bool_(True), None, -1, [1], float("nan")]

REAL: dict[str, Call] = {
    "diversity": lambda p, v: p.rank("u", diversity=v),
    "timeout_s": lambda p, v: Penchant(timeout_s=v),
    "temperature": lambda p, v: PlackettLuce(v),
    "epsilon": lambda p, v: EpsilonGreedy(v),
    "scale": lambda p, v: Thompson(v),
    "value": lambda p, v: _event(value=v),
    "propensity": lambda p, v: Exposure(propensity=v),
    "score": lambda p, v: Exposure(score=v),
}
NO_REAL = ["5", True, np.bool_(True), [1.0], np.array([1.0, 2.0]), 10**400, 1j]

FLAGS: dict[str, Call] = {
    "exclude_seen": lambda p, v: p.rank("u", exclude_seen=v),
    "exclude_owned": lambda p, v: p.rank("u", exclude_owned=v),
    "explain": lambda p, v: p.rank("u", explain=v),
    "propensity_estimated": lambda p, v: Exposure(propensity_estimated=v),
}
NO_FLAGS = ["yes", 2, None, np.array([True, False])]

TIMES: dict[str, Call] = {
    "as_of": lambda p, v: p.rank("u", as_of=v),
    "occurred_at": lambda p, v: _event(occurred_at=v),
}
NO_TIMES = [
    "2026-01-01",
    datetime(2026, 1, 1),
    np.datetime64("2026-01-01T00:00:00"),
    np.datetime64("NaT"),
    importlib.import_module("pandas").NaT,
    float("nan"),
    1e303,
    10**400,
    np.int64(1_700_000_000_123_456_789),
    True,
]

OTHERS: dict[str, tuple[list[object], Call]] = {
    "context": ([["a"], "a", 5], lambda p, v: p.rank("u", context=v)),
    "candidates": ([5, b"a", "a"], lambda p, v: p.rank("u", candidates=v)),
    "explore": ([0.5, "thompson", Thompson], lambda p, v: p.rank("u", explore=v)),
    "items[1]": (["a", None], lambda p, v: p.put_items([Item("a", "a"), v])),
    "items": ([5, "a"], lambda p, v: p.put_items(v)),
    "events[1]": (["a", {}], lambda p, v: p.feedback([_event(), v])),
    "events": ([5, _event()], lambda p, v: p.feedback(v)),
    "exposure": ([{"position": 1}, 1], lambda p, v: _event(exposure=v)),
    "ids": ([5, "a"], lambda p, v: p.get_items(v)),
    "texts": ([5, "a"], lambda p, v: p.embed(v)),
    "options": ([5, "a"], lambda p, v: p.reserve("u", "r", v, n=1)),
    "options[0]": (["a", None], _reserve),
    "options[0].caps": ([Cap("k", 1, 1), "a"], lambda p, v: _reserve(p, ReserveOption("a", v))),
    "options[0].caps[0]": (["a", 3], lambda p, v: _reserve(p, ReserveOption("a", [v]))),
    "options[0].budget": ([5, Cap("k", 1, 1)], lambda p, v: _reserve(p, ReserveOption("a", (), v))),
}


def _given(value: Any) -> Any:
    return "" if value is None else value


def _hashable(value: Any) -> Any:
    return b"a" if value == "\ud800" else value


KINDS = [
    (TEXTS, NO_TEXTS),
    (WHOLE, NO_WHOLE),
    (REAL, NO_REAL),
    (FLAGS, NO_FLAGS),
    (TIMES, NO_TIMES),
]
WRONG = [
    *[(name, wrong, call) for calls, wrong in KINDS for name, call in calls.items()],
    *[(name, wrong, call) for name, (wrong, call) in OTHERS.items()],
]


class ArgumentLaws(Laws):
    """What is refused before it is sent, and what a caller's own types may be."""

    @pytest.mark.parametrize(("name", "wrong", "call"), WRONG, ids=[one[0] for one in WRONG])
    def test_an_argument_of_a_wrong_type_is_refused_by_its_own_name(
        self, penchant: Penchant, name: str, wrong: list[object], call: Call
    ) -> None:
        for value in wrong:
            with pytest.raises((InvalidRequest, InvalidEvent)) as caught:
                call(penchant, value)
            text = str(caught.value)
            assert text.startswith(f"{name}: got "), text
            assert ", expected " in text
            assert len(text) < 300

    def test_scalars_of_numpy_and_pandas_are_what_they_hold(
        self, penchant: Penchant, world: World
    ) -> None:
        numpy: Any = np  # To a type checker, none of its scalars is an int or a float.
        now = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
        stamp = importlib.import_module("pandas").Timestamp(now)
        exposure = Exposure(
            numpy.int64(2), numpy.float64(0.25), numpy.bool_(True), numpy.float32(-1.5)
        )
        event = Event(
            user=numpy.str_(world.user),
            item=world.space[0],
            signal="rating",
            value=numpy.float32(4.5),
            occurred_at=numpy.int64(now.timestamp()),
            context={numpy.str_("room"): numpy.str_("kitchen")},
            exposure=exposure,
        )
        again = replace(event, event_id=unique("e"), value=numpy.int64(5), occurred_at=stamp)
        penchant.feedback([event, again]).raise_for_refused()
        rows = penchant.export_user(world.user).events
        assert [row.event for row in rows] == [
            replace(event, occurred_at=now),
            replace(again, occurred_at=now),
        ]
        ranking = penchant.rank(
            numpy.str_(world.user),
            k=numpy.int64(2),
            candidates=numpy.array(world.ids),
            context={"room": numpy.str_("kitchen")},
            exclude_seen=numpy.bool_(True),
            min_state_version=numpy.uint64(2),
            explain=numpy.bool_(False),
            as_of=numpy.float64(now.timestamp()),
            diversity=numpy.float32(0.5),
        )
        assert len(ranking.items) == 2
        assert world.space[0] not in ranking.ids

    def test_one_event_that_cannot_be_sent_keeps_all_others_back(
        self, penchant: Penchant, world: World
    ) -> None:
        context = {"room": "kitchen"}
        last = replace(some_events(world, 1)[0], context=context)
        context["room"] = "\ud800"
        with pytest.raises(InvalidEvent, match=r"events\[1000\]\.context\['room'\]: got '\\ud800'"):
            penchant.feedback([*some_events(world, 1000), last])
        with pytest.raises(UserNotFound):
            penchant.user(world.user)

    def test_one_item_that_cannot_be_sent_keeps_all_others_back(self, penchant: Penchant) -> None:
        ids = [unique("item") for _ in range(300)]
        items = [Item(id_, f"text {place}") for place, id_ in enumerate(ids)]
        with pytest.raises(InvalidRequest, match=r"items\[300\]\.text: got '\\ud800'"):
            penchant.put_items([*items, Item(unique("item"), "\ud800")])
        assert penchant.get_items(ids).unknown == tuple(ids)

    def test_the_largest_items_go_in_as_many_calls_as_they_need(self, penchant: Penchant) -> None:
        run = unique("large")
        attributes = {f"{key:0128}": "v" * 1024 for key in range(64)}
        items = [Item(f"{run}-{n}", f"a large film, number {n}", attributes) for n in range(140)]
        assert penchant.put_items(items, timeout_s=60).changed == 140
        assert penchant.get_items([item.id for item in items], timeout_s=60).items == tuple(items)
        assert penchant.delete_items([item.id for item in items], timeout_s=60).deleted == 140

    def test_a_refusal_names_the_place_in_the_whole_list(self, penchant: Penchant) -> None:
        run = unique("item")
        items = [Item(f"{run}-{n}", "a film") for n in range(300)]
        items[290] = Item(f"{run}-290", " ")
        with pytest.raises(InvalidRequest) as caught:
            penchant.put_items(items, timeout_s=60)
        assert str(caught.value).startswith("items[290].text: got nothing but white space")
        ids = [f"{run}-{n}" for n in range(300)]
        ids[299] = ids[0]
        for verb in (penchant.get_items, penchant.delete_items):
            with pytest.raises(InvalidRequest) as caught:
                verb(ids)
            assert str(caught.value) == f"ids[299]: got {ids[0]!r} twice, expected once"

    def test_refused_events_are_logged_once_a_call(
        self, penchant: Penchant, world: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        good = Event(user=world.user, item=world.space[0], signal="like")
        bad = [replace(good, event_id=f"bad {n}", signal="rating") for n in range(3)]
        with caplog.at_level(logging.WARNING, "penchant_sdk"):
            penchant.feedback([good])
            assert _of_the_sdk(caplog) == []
            penchant.feedback([*bad, good])
        assert _of_the_sdk(caplog) == [
            "feedback: the server refused 3 of 4 events; the first: event 'bad 0': [InvalidEvent] "
            "value: missing, expected a number with the signal 'rating'"
        ]


def _of_the_sdk(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the SDK logged; a fake's server, in the same process, logs refusals as well."""
    return [record.getMessage() for record in caplog.records if record.name == "penchant_sdk"]
