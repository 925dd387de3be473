"""Messages to types and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from penchant.domain.errors import InvalidRequest
from penchant.domain.types import Item, Matrix
from penchant.service.embed import Embedded
from penchant.service.event_results import EventResult, EventStatus
from penchant.service.rank import RankRequest
from penchant.wire.call import parse_call
from penchant.wire.catalog import put_items_request
from penchant.wire.embed import embed_reply, embeddings
from penchant.wire.event import event_of
from penchant.wire.feedback import feedback_reply
from penchant.wire.rank import rank_request
from penchant_proto.v1.catalog_pb2 import PutItemsRequest
from penchant_proto.v1.event_pb2 import Event as EventMessage
from penchant_proto.v1.item_pb2 import Item as ItemMessage
from penchant_proto.v1.rank_pb2 import RankRequest as RankMessage
from penchant_proto.v1.service_pb2 import Call

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
TIMES = st.none() | st.integers(-(2**63), 2**63 - 1)


@given(
    ids=st.none() | st.lists(TEXTS, max_size=4),
    user=TEXTS,
    k=st.integers(0, 2**32 - 1),
    at_us=TIMES,
    context=st.dictionaries(TEXTS, TEXTS, max_size=3),
)
def test_a_rank_request_is_read_as_it_was_written(
    ids: list[str] | None, user: str, k: int, at_us: int | None, context: dict[str, str]
) -> None:
    message = RankMessage(user=user, k=k, query="q", exclude_seen=True, as_of_us=at_us)
    if ids is not None:
        message.candidates.SetInParent()
        message.candidates.ids.extend(ids)
    message.context.update(context)
    request = rank_request(message)
    candidates = None if ids is None else tuple(ids)
    assert request == RankRequest(
        user,
        k,
        candidates,
        query="q",
        context=tuple(sorted(context.items())),
        exclude_seen=True,
        as_of_us=at_us,
    )


@given(value=st.none() | st.floats(allow_nan=False), at_us=TIMES, now_us=st.integers(0, 2**53))
def test_what_an_event_does_not_say_stays_unsaid_but_for_its_time(
    value: float | None, at_us: int | None, now_us: int
) -> None:
    message = EventMessage(event_id="e", user="u", item="i", signal="s")
    if value is not None:
        message.value = value
    if at_us is not None:
        message.occurred_at_us = at_us
    event = event_of(message, now_us)
    assert event.value == value
    assert event.occurred_at_us == (now_us if at_us is None else at_us)
    assert event.recommendation_id == ""


@given(
    vectors=npst.arrays(
        np.float32,
        st.tuples(st.integers(0, 4), st.integers(1, 5)),
        elements=st.floats(-1, 1, width=32),
    )
)
def test_vectors_survive_the_wire(vectors: Matrix) -> None:
    reply = embed_reply(Embedded(vectors, "v")).embed
    np.testing.assert_array_equal(embeddings(reply), vectors)


def test_every_status_has_its_value_on_the_wire() -> None:
    results = [EventResult("e", status, 1) for status in EventStatus]
    sent = [result.status for result in feedback_reply(results).feedback.results]
    assert len(set(sent)) == len(EventStatus)
    assert 0 not in sent


def test_an_item_keeps_its_attributes() -> None:
    message = PutItemsRequest(items=[ItemMessage(id="i", text="t", attributes={"a": "b"})])
    assert put_items_request(message) == (Item("i", "t", {"a": "b"}),)


def test_a_call_is_named_by_its_field() -> None:
    call = Call()
    call.get_user.user = "u"
    call.timeout_ms = 250
    assert parse_call(call.SerializeToString()) == ("get_user", call.get_user, 250, False)


@pytest.mark.parametrize("payload", [b"", b"\x0a", b"\xff" * 20, b"\x0a\x03\x0a\x01\xff"])
def test_bytes_that_are_no_call_are_an_invalid_request(payload: bytes) -> None:
    with pytest.raises(InvalidRequest, match="REQUEST: got "):
        parse_call(payload)
