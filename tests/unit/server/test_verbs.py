"""The verbs: their checks and their replies."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from penchant.domain.errors import EncoderUnavailable, InvalidRequest, UserNotFound
from penchant.server.app import App
from penchant_proto.v1.feedback_pb2 import EventResult
from penchant_proto.v1.item_pb2 import Item
from penchant_proto.v1.service_pb2 import Call, Reply
from tests.support.calls import (
    answered,
    app_of,
    config_of,
    feedback_call,
    forget_call,
    put_films,
    rank_call,
    refused,
    together,
)
from tests.support.histories import FILMS
from tests.support.watched_encoder import WatchedEncoder
from tests.support.world import NOW_US


@pytest.fixture
def encoder() -> WatchedEncoder:
    return WatchedEncoder()


@pytest.fixture
def app(tmp_path: Path, encoder: WatchedEncoder) -> Iterator[App]:
    limits = {"events": 3, "items": 6, "texts": 3, "candidates": 4, "k": 10}
    app = app_of(config_of(tmp_path, **limits), encoder)
    put_films(app)
    yield app
    app.close()


def put_call(*items: Item) -> Call:
    call = Call()
    call.put_items.SetInParent()
    call.put_items.items.extend(items)
    return call


def ids_call(field: str, *ids: str) -> Call:
    call = Call()
    message = getattr(call, field)
    message.SetInParent()
    message.ids.extend(ids)
    return call


def user_call(field: str, user: str, **fields: int) -> Call:
    call = Call()
    message = getattr(call, field)
    message.user = user
    for name, value in fields.items():
        setattr(message, name, value)
    return call


def embed_call(*texts: str) -> Call:
    call = Call()
    call.embed.SetInParent()
    call.embed.texts.extend(texts)
    return call


def candidates_call(*ids: str) -> Call:
    call = rank_call()
    call.rank.candidates.SetInParent()
    call.rank.candidates.ids.extend(ids)
    return call


REFUSALS = [
    (rank_call(k=0), "k: got 0, expected 1 to 10"),
    (rank_call(k=11), "k: got 11, expected 1 to 10"),
    (rank_call(user=""), "user: got 0 bytes, expected 1 to 256"),
    (rank_call(query="x" * 2049), "query: got 2049 bytes, expected at most 2048"),
    (candidates_call(*"abcde"), "candidates: got 5, expected 0 to 4"),
    (candidates_call("a", "a"), "candidates[1]: got 'a' twice, expected once"),
    (feedback_call(), "events: got 0, expected 1 to 3"),
    (feedback_call(*"abcd"), "events: got 4, expected 1 to 3"),
    (put_call(), "items: got 0, expected 1 to 6"),
    (put_call(Item(id="a", text="")), "items[0].text: got nothing but white space"),
    (put_call(Item(id="a", text="t"), Item(id="a", text="u")), "items[1]: got 'a' twice"),
    (put_call(Item(id="", text="t")), "items[0].id: got 0 bytes, expected 1 to 256"),
    (put_call(Item(id="a", text="t" * 8193)), "items[0].text: got 8193 bytes, expected 1 to 8192"),
    (ids_call("delete_items"), "ids: got 0, expected 1 to 6"),
    (ids_call("delete_items", "a", "a"), "ids[1]: got 'a' twice, expected once"),
    (ids_call("get_items", ""), "ids[0]: got 0 bytes, expected 1 to 256"),
    (user_call("get_user", ""), "user: got 0 bytes, expected 1 to 256"),
    (user_call("export_user", "u", limit=10_001), "limit: got 10001, expected 1 to 10000"),
    (user_call("export_user", ""), "user: got 0 bytes, expected 1 to 256"),
    (user_call("forget_user", "a\x00"), "user: got the control character"),
    (embed_call(), "texts: got 0, expected 1 to 3"),
    (embed_call("a", " "), "texts[1]: got nothing but white space, expected 1 to 8192 bytes"),
    (embed_call("t" * 8193), "texts[0]: got 8193 bytes, expected 1 to 8192 bytes"),
]


@pytest.mark.parametrize(("call", "text"), REFUSALS, ids=lambda value: str(value)[:40])
def test_a_call_out_of_bounds_is_refused_in_words(app: App, call: Call, text: str) -> None:
    error = refused(app, call)
    assert isinstance(error, InvalidRequest)
    assert str(error).startswith(text)


def test_a_refused_put_puts_nothing(app: App) -> None:
    refused(app, put_call(Item(id="new", text="fine"), Item(id="bad", text="")))
    assert answered(app, ids_call("get_items", "new")).get_items.unknown == ["new"]


def test_put_get_and_delete_say_what_they_did(app: App) -> None:
    item = Item(id="toy", text="toy story", attributes={"year": "1995"})
    put = answered(app, put_call(item, Item(id="bug", text=FILMS["bug"]))).put_items
    assert (put.changed, put.unchanged, put.encoded, put.item_count) == (1, 1, 1, 6)
    got = answered(app, ids_call("get_items", "toy", "nope")).get_items
    assert (list(got.items), list(got.unknown), got.item_count) == ([item], ["nope"], 6)
    assert got.catalog_version == put.catalog_version
    assert got.encoder_version == put.encoder_version == WatchedEncoder().version
    deleted = answered(app, ids_call("delete_items", "toy", "nope")).delete_items
    assert (deleted.deleted, list(deleted.unknown), deleted.item_count) == (1, ["nope"], 5)
    assert deleted.catalog_version == put.catalog_version + 1


def test_a_rank_reply_holds_scores_explanations_and_versions(app: App) -> None:
    answered(app, feedback_call("e1"))
    call = candidates_call("toy", "nope", "heat")
    call.rank.explain = True
    reply = answered(app, call).rank
    assert [item.id for item in reply.items] == ["toy", "heat"]
    assert list(reply.unknown_candidates) == ["nope"]
    assert (reply.state_version, reply.catalog_version, reply.cold_start) == (1, 1, False)
    for item in reply.items:
        parts = item.explanation
        assert (
            parts.offset + parts.slow + parts.fast + parts.near + parts.repeat + parts.query
            == pytest.approx(item.score, abs=1e-5)
        )
        (contribution,) = parts.contributions
        assert (contribution.event_id, contribution.item) == ("e1", "toy")


def test_a_feedback_reply_has_a_result_per_event_in_order(app: App) -> None:
    call = feedback_call("e1", "e1", "e2")
    call.feedback.events[2].value = math.nan
    one, two, three = answered(app, call).feedback.results
    assert [result.event_id for result in (one, two, three)] == ["e1", "e1", "e2"]
    assert one.status == EventResult.STATUS_ACCEPTED
    assert two.status == EventResult.STATUS_DUPLICATE
    assert three.status == EventResult.STATUS_REFUSED
    assert (three.reason, one.reason, two.reason) == ("InvalidEvent", "", "")
    assert (one.state_version, two.state_version) == (1, 1)


def test_an_event_without_a_time_happened_on_arrival(app: App) -> None:
    call = feedback_call("e1", "e2")
    call.feedback.events[1].occurred_at_us = 0
    answered(app, call)
    first, second = answered(app, user_call("export_user", "u")).export_user.events
    assert first.event.occurred_at_us == first.accepted_at_us == NOW_US
    assert (second.event.HasField("occurred_at_us"), second.event.occurred_at_us) == (True, 0)


def test_an_exported_event_is_the_one_that_was_sent(app: App) -> None:
    call = feedback_call("e1")
    event = call.feedback.events[0]
    event.signal, event.value, event.recommendation_id = "rating", 4.5, "r"
    event.occurred_at_us = NOW_US - 5
    answered(app, call)
    (row,) = answered(app, user_call("export_user", "u")).export_user.events
    assert row.event == event
    assert row.state_version == 1
    answered(app, feedback_call("e2"))
    rows = answered(app, user_call("export_user", "u", after_version=1)).export_user.events
    assert [row.event.HasField("value") for row in rows] == [False]


def test_an_export_goes_on_where_its_page_ended(app: App) -> None:
    answered(app, feedback_call("a", "b", "c"))
    page = answered(app, user_call("export_user", "u", limit=2)).export_user
    assert ([row.event.event_id for row in page.events], page.next_after_version) == (["a", "b"], 2)
    last = answered(app, user_call("export_user", "u", limit=2, after_version=2)).export_user
    assert ([row.event.event_id for row in last.events], last.next_after_version) == (["c"], 0)
    assert page.state_version == last.state_version == 3


def test_a_users_window_comes_newest_first(app: App) -> None:
    call = feedback_call("old", "new")
    call.feedback.events[0].occurred_at_us = NOW_US - 1000
    call.feedback.events[1].item = "heat"
    answered(app, call)
    reply = answered(app, user_call("get_user", "u")).get_user
    assert [event.item for event in reply.window] == ["heat", "toy"]
    assert (reply.user, reply.state_version) == ("u", 2)
    assert len(reply.slow) == len(reply.fast) == 64
    assert reply.window[0].reward == reply.window[0].weight == 1.0


def test_a_forgotten_user_is_not_found(app: App) -> None:
    answered(app, feedback_call("a", "b"))
    assert answered(app, forget_call("u")).forget_user.deleted_events == 2
    for call in (user_call("get_user", "u"), user_call("export_user", "u"), forget_call("nobody")):
        assert isinstance(refused(app, call), UserNotFound)


def test_embedded_texts_are_rows_of_float32(app: App, encoder: WatchedEncoder) -> None:
    reply = answered(app, embed_call("pig", "space", "pig")).embed
    vectors = np.frombuffer(reply.vectors, "<f4").reshape(-1, reply.dimensions)
    np.testing.assert_array_equal(vectors, encoder.encode(["pig", "space", "pig"]))
    assert reply.encoder_version == encoder.version


def test_a_bad_request_between_good_ones_is_refused_alone(app: App) -> None:
    replies = together(app, [rank_call(), rank_call(k=0), rank_call(k=1)])
    assert [type(reply) for reply in replies] == [Reply, InvalidRequest, Reply]
    replies = together(app, [feedback_call("a"), feedback_call(), feedback_call("b")])
    assert [type(reply) for reply in replies] == [Reply, InvalidRequest, Reply]
    replies = together(app, [embed_call("a"), embed_call(""), embed_call("b")])
    assert [type(reply) for reply in replies] == [Reply, InvalidRequest, Reply]


def test_without_the_encoder_what_needs_no_text_goes_on(app: App, encoder: WatchedEncoder) -> None:
    encoder.break_down()
    assert isinstance(refused(app, rank_call(query="pig")), EncoderUnavailable)
    assert isinstance(refused(app, embed_call("pig")), EncoderUnavailable)
    assert isinstance(refused(app, put_call(Item(id="a", text="new"))), EncoderUnavailable)
    assert len(answered(app, rank_call()).rank.items) == 3
    assert answered(app, put_call(Item(id="toy", text=FILMS["toy"]))).put_items.unchanged == 1
