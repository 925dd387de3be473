"""The verb `reserve`: its checks and its replies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.errors import InvalidRequest
from penchant.domain.reservations import Budget, Cap, ReserveOption, ReserveRequest
from penchant.server.app import App
from penchant.wire.reserve import reserve_request
from penchant_proto.v1.reserve_pb2 import ReserveRequest as ReserveMessage
from penchant_proto.v1.reserve_pb2 import Unreserved
from penchant_proto.v1.service_pb2 import Call, Reply
from tests.support.calls import answered, app_of, config_of, put_films, refused, together
from tests.support.world import NOW_US, SECOND_US

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    app = app_of(config_of(tmp_path, options=3, reservations=2))
    put_films(app)
    yield app
    app.close()


def reserve_call(*items: str, id_: str = "r", **fields: int) -> Call:
    call = Call()
    call.reserve.user, call.reserve.recommendation_id, call.reserve.n = "u", id_, 1
    for item in items:
        call.reserve.options.add(item=item).caps.add(key="campaign", limit=2, window_s=60)
    for name, value in fields.items():
        setattr(call.reserve, name, value)
    return call


def with_cap(key: str = "k", limit: int = 1, window_s: int = 60, count: int = 1) -> Call:
    call = reserve_call()
    option = call.reserve.options.add(item="toy")
    for _ in range(count):
        option.caps.add(key=key, limit=limit, window_s=window_s)
    return call


def with_budget(key: str = "money", cost_micros: int = 1) -> Call:
    call = reserve_call()
    option = call.reserve.options.add(item="toy")
    option.budget.key, option.budget.cost_micros = key, cost_micros
    return call


TOO_EARLY, TOO_LATE = -1, NOW_US + 300 * SECOND_US + 1

REFUSALS = [
    (reserve_call(), "options: got 0, expected 1 to 3"),
    (reserve_call(*"abcd"), "options: got 4, expected 1 to 3"),
    (reserve_call("toy", "toy"), "options[1]: got 'toy' twice, expected once"),
    (reserve_call("toy", ""), "options[1].item: got 0 bytes, expected 1 to 256"),
    (reserve_call("toy", n=0), "n: got 0, expected 1 to 2"),
    (reserve_call("toy", n=3), "n: got 3, expected 1 to 2"),
    (reserve_call("toy", lapse_s=3601), "lapse_s: got 3601, expected 1 to 3600"),
    (reserve_call("toy", id_=""), "recommendation_id: got 0 bytes, expected 1 to 64"),
    (reserve_call("toy", id_="r" * 65), "recommendation_id: got 65 bytes, expected 1 to 64"),
    (reserve_call("toy", as_of_us=TOO_EARLY), "as_of_us: got -1, 1969-12-31T23:59:59Z, "),
    (reserve_call("toy", as_of_us=TOO_LATE), f"as_of_us: got {TOO_LATE}, 20"),
    (with_cap(count=17), "options[0].caps: got 17, expected 0 to 16"),
    (with_cap(key=""), "options[0].caps[0].key: got 0 bytes, expected 1 to 256"),
    (with_cap(limit=0), "options[0].caps[0].limit: got 0, expected 1 or more"),
    (with_cap(window_s=0), "options[0].caps[0].window_s: got 0, expected 1 to 31536000"),
    (with_cap(window_s=31_536_001), "options[0].caps[0].window_s: got 31536001, expected 1 to"),
    (with_budget(key=""), "options[0].budget.key: got 0 bytes, expected 1 to 256"),
    (with_budget(cost_micros=2**53), f"options[0].budget.cost_micros: got {2**53}, expected 0 to"),
]


@pytest.mark.parametrize(("call", "text"), REFUSALS, ids=lambda value: str(value)[:40])
def test_a_request_out_of_bounds_is_refused_in_words(app: App, call: Call, text: str) -> None:
    error = refused(app, call)
    assert isinstance(error, InvalidRequest)
    assert str(error).startswith(text)


def test_a_reply_names_what_is_reserved_until_when_and_what_is_not(app: App) -> None:
    call = reserve_call("toy", "heat", "bug", n=2)
    reply = answered(app, call).reserve
    assert [(one.item, one.lapses_at_us) for one in reply.reserved] == [
        ("toy", NOW_US + 60 * SECOND_US),
        ("heat", NOW_US + 60 * SECOND_US),
    ]
    assert [(one.item, one.reason) for one in reply.refused] == [("bug", Unreserved.REASON_CAPPED)]
    broke = with_budget()
    broke.reserve.recommendation_id = "r2"
    (refusal,) = answered(app, broke).reserve.refused
    assert (refusal.item, refusal.reason) == ("toy", Unreserved.REASON_BUDGET)


def test_a_bad_request_between_good_ones_is_refused_alone(app: App) -> None:
    replies = together(
        app, [reserve_call("toy"), reserve_call("toy", n=0), reserve_call("heat", id_="r2")]
    )
    assert [type(reply) for reply in replies] == [Reply, InvalidRequest, Reply]


@given(
    texts=st.tuples(TEXTS, TEXTS, TEXTS, TEXTS, TEXTS),
    numbers=st.tuples(*[st.integers(0, 2**32 - 1)] * 5),
    lapse_s=st.integers(1, 2**32 - 1),
    as_of_us=st.none() | st.integers(-(2**63), 2**63 - 1),
)
def test_a_request_is_read_as_it_was_written(
    texts: tuple[str, ...], numbers: tuple[int, ...], lapse_s: int, as_of_us: int | None
) -> None:
    user, id_, item, cap, money = texts
    n, limit, window_s, cost, allowed = numbers
    message = ReserveMessage(
        user=user, recommendation_id=id_, n=n, lapse_s=lapse_s, as_of_us=as_of_us
    )
    option = message.options.add(item=item)
    option.caps.add(key=cap, limit=limit, window_s=window_s)
    option.budget.key, option.budget.cost_micros = money, cost
    option.budget.allowed_micros = allowed
    message.options.add(item="free")
    priced = ReserveOption(item, (Cap(cap, limit, window_s),), Budget(money, cost, allowed))
    assert reserve_request(message) == ReserveRequest(
        user, id_, (priced, ReserveOption("free")), n, lapse_s, as_of_us
    )
