"""Bad input is refused in its own reply, while another client's rankings go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.launch import Server
from penchant_proto.kserve.v1 import kserve_pb2
from penchant_proto.methods import METHODS
from penchant_proto.v1 import (
    catalog_pb2,
    embed_pb2,
    event_pb2,
    feedback_pb2,
    rank_pb2,
    reserve_pb2,
    user_pb2,
)
from penchant_proto.v1.item_pb2 import Item as ItemMessage
from penchant_proto.v1.service_pb2 import Call
from penchant_sdk import Item, Penchant
from tests.contracts.client_world import unique
from tests.integration.wire import Answer, Wire, connected, request_of

pytestmark = pytest.mark.server

MODELS = sorted({method.model for method in METHODS.values()})
RANK = "penchant_rank"
REFUSALS = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.UNAVAILABLE,  # Of a state version that nobody has reached.
}


@pytest.fixture(scope="module")
def wire(server: Server) -> Iterator[Wire]:
    with connected(server.target) as wire:
        yield wire


@pytest.fixture(scope="module")
def film(penchant: Penchant) -> str:
    film = Item(unique("film"), "A film about a lighthouse")
    penchant.put_items([film])
    return film.id


@pytest.fixture(scope="module", autouse=True)
def bystander(server: Server, film: str) -> Iterator[None]:
    """Another client ranks all the while, with no second try, and gets every ranking."""
    stop, problems, rankings = threading.Event(), [], []

    def rank() -> None:
        with Penchant(server.target, timeout_s=60.0, max_attempts=1) as penchant:
            while not stop.is_set():
                try:
                    rankings.append(penchant.rank("bystander", candidates=[film]).ids == (film,))
                except BaseException as error:
                    problems.append(error)
                    raise

    thread = threading.Thread(target=rank)
    thread.start()
    pids = server.pids()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert problems == []
    assert len(rankings) > 100
    assert all(rankings)
    assert server.pids() == pids  # No model died.


def assert_says_no_secrets(answer: Answer) -> None:
    for secret in ("Traceback", ".py", 'File "', "/tmp", "/home", "0x"):
        assert secret not in answer.text


def assert_refused(answer: Answer, reason: str, *words: str) -> None:
    assert answer.text.startswith(f"[{reason}] "), answer
    assert answer.code is grpc.StatusCode.INVALID_ARGUMENT
    for word in words:
        assert word in answer.text
    assert_says_no_secrets(answer)


def rank(**fields: object) -> Call:
    return Call(rank=rank_pb2.RankRequest(**{"user": "u", "k": 10, **fields}))  # type: ignore[arg-type]


def among(*ids: str) -> rank_pb2.Candidates:
    return rank_pb2.Candidates(ids=ids)


def put(id_: str = "i", text: str = "text", **attributes: str) -> Call:
    items = [ItemMessage(id=id_, text=text, attributes=attributes)]
    return Call(put_items=catalog_pb2.PutItemsRequest(items=items))


BAD_CALLS = {
    "k of 0": (rank(k=0), "k: got 0, expected 1 to 1000"),
    "k too large": (rank(k=1001), "k: got 1001"),
    "no user": (rank(user=""), "user"),
    "user of 1 MB": (rank(user="u" * 1_000_000), "user: got 1000000 bytes"),
    "user of 10 MB": (rank(user="u" * 10_000_000), "REQUEST: got 10000012 bytes"),
    "10,000 candidates": (
        rank(candidates=among(*(f"c{n}" for n in range(10_000)))),
        "candidates: got 10000",
    ),
    "a candidate twice": (rank(candidates=among("a", "b", "a")), "'a'"),
    "query of 1 MB": (rank(query="q" * 1_000_000), "query: got 1000000 bytes"),
    "query of 10 MB": (rank(query="q" * 10_000_000), "REQUEST: got 10000015 bytes"),
    "context of too many entries": (rank(context={f"k{n}": "" for n in range(99)}), "context"),
    "text of 1 MB": (put(text="t" * 1_000_000), "text: got 1000000 bytes"),
    "empty text": (put(text=""), "text"),
    "blank text": (put(text=" \n"), "text"),
    "no item id": (put(id_=""), "id"),
    "attribute of 1 MB": (put(year="1" * 1_000_000), "attributes['year']"),
    "no items": (Call(put_items=catalog_pb2.PutItemsRequest()), "items: got 0"),
    "no ids to get": (Call(get_items=catalog_pb2.GetItemsRequest()), "ids: got 0"),
    "no ids to delete": (Call(delete_items=catalog_pb2.DeleteItemsRequest()), "ids: got 0"),
    "no events": (Call(feedback=feedback_pb2.FeedbackRequest()), "events: got 0"),
    "1,001 events": (
        Call(feedback=feedback_pb2.FeedbackRequest(events=[event_pb2.Event()] * 1001)),
        "events: got 1001",
    ),
    "nothing to reserve": (Call(reserve=reserve_pb2.ReserveRequest(user="u")), "recommendation_id"),
    "no texts": (Call(embed=embed_pb2.EmbedRequest()), "texts: got 0"),
    "an empty text to embed": (Call(embed=embed_pb2.EmbedRequest(texts=["a", ""])), "texts[1]"),
    "no user to read": (Call(get_user=user_pb2.GetUserRequest()), "user"),
    "no user to export": (Call(export_user=user_pb2.ExportUserRequest()), "user"),
    "no user to forget": (Call(forget_user=user_pb2.ForgetUserRequest()), "user"),
}


@pytest.mark.parametrize("name", BAD_CALLS)
def test_a_call_that_breaks_the_contract_says_where(wire: Wire, name: str) -> None:
    call, words = BAD_CALLS[name]
    assert_refused(wire.call(call), "InvalidRequest", words)


def event(film: str, **fields: object) -> event_pb2.Event:
    good = {"event_id": unique("e"), "user": "bad-events", "item": film, "signal": "rating"}
    return event_pb2.Event(**{**good, "value": 4.0, **fields})  # type: ignore[arg-type]


def test_each_bad_event_of_a_call_is_refused_alone(wire: Wire, film: str) -> None:
    now_us = time.time_ns() // 1000
    good = event(film)
    bad = {
        "value": [
            event(film, value=value) for value in (float("nan"), float("inf"), -float("inf"))
        ],
        "signal": [event(film, signal=signal) for signal in ("", "no-such", "s" * 1_000_000)],
        "occurred_at_us": [
            event(film, occurred_at_us=at_us)
            for at_us in (-1, -(2**63), now_us + 86_400_000_000, 2**63 - 1)
        ],
        "event_id": [event(film, event_id=id_) for id_ in ("", "e" * 129)],
        "user": [event(film, user=user) for user in ("", "u" * 257)],
        "item": [event(film, item=item) for item in ("", "nowhere")],
        "recommendation_id": [event(film, recommendation_id="r" * 1000)],
    }
    events = [*(one for row in bad.values() for one in row), good]
    answer = wire.call(Call(feedback=feedback_pb2.FeedbackRequest(events=events)))
    *refused, accepted = answer.reply.feedback.results
    assert accepted.status == feedback_pb2.EventResult.STATUS_ACCEPTED
    fields = [field for field, row in bad.items() for _ in row]
    for field, result in zip(fields, refused, strict=True):
        assert result.status == feedback_pb2.EventResult.STATUS_REFUSED
        assert result.reason in {"InvalidEvent", "UnknownItem"}
        assert result.message.startswith(f"{field}: "), result
        assert len(result.message) < 300  # The megabyte does not come back.


@pytest.mark.parametrize("model", MODELS)
def test_a_call_for_another_model_is_refused(wire: Wire, model: str) -> None:
    calls = [rank(), Call(embed=embed_pb2.EmbedRequest(texts=["a"])), put()]
    for call in calls:
        method = call.WhichOneof("method")
        assert method is not None
        if METHODS[method].model != model:
            answer = wire.send_payload(model, call.SerializeToString())
            assert_refused(answer, "InvalidRequest", method)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("shape", [[1], [2, 1], [1, 2], [0, 1], [1, 1, 1], [-1, 1], [2**40, 1]])
def test_a_wrong_shape_is_refused(wire: Wire, model: str, shape: list[int]) -> None:
    payload = rank().SerializeToString()
    elements = [payload] * min(2, max(0, shape[0] * shape[-1]))
    answer = wire.send(request_of(model, elements, shape=shape))
    assert answer.code is grpc.StatusCode.INVALID_ARGUMENT
    assert_says_no_secrets(answer)


@pytest.mark.parametrize(
    "request_",
    [
        request_of(RANK, [b""], name="REQUESTS"),
        request_of(RANK, [b""], name=""),
        request_of(RANK, [b"\0\0\0\0"], datatype="FP32"),
        request_of(RANK, [b""], datatype="NONSENSE"),
        kserve_pb2.ModelInferRequest(model_name=RANK),
    ],
    ids=["name", "no name", "datatype", "unknown datatype", "no tensor"],
)
def test_a_wrong_tensor_is_refused(wire: Wire, request_: kserve_pb2.ModelInferRequest) -> None:
    answer = wire.send(request_)
    assert answer.code is grpc.StatusCode.INVALID_ARGUMENT
    assert_says_no_secrets(answer)


def test_text_that_is_not_utf8_is_refused(wire: Wire) -> None:
    payload = rank(user="\x01\x02\x03\x04").SerializeToString()
    answer = wire.send_payload(RANK, payload.replace(b"\x01\x02\x03\x04", b"\xff\xfe\xfd\xfc"))
    assert_refused(answer, "InvalidRequest", "penchant.v1.Call")


@settings(max_examples=150)
@given(model=st.sampled_from(MODELS), payload=st.binary(max_size=400))
def test_random_bytes_are_refused(wire: Wire, model: str, payload: bytes) -> None:
    answer = wire.send_payload(model, payload)
    assert answer.code in REFUSALS | {grpc.StatusCode.OK}
    assert_says_no_secrets(answer)


VALID = {
    RANK: rank(candidates=among("a", "b"), query="a text", context={"hour": "9"}, explain=True),
    "penchant_feedback": Call(
        feedback=feedback_pb2.FeedbackRequest(
            events=[event_pb2.Event(event_id="e", user="u", item="nowhere", signal="like")]
        )
    ),
    "penchant_catalog": Call(get_items=catalog_pb2.GetItemsRequest(ids=["a", "nowhere"])),
    "penchant_users": Call(get_user=user_pb2.GetUserRequest(user="a stranger")),
    "penchant_encoder": Call(embed=embed_pb2.EmbedRequest(texts=["one", "two"])),
}


@settings(max_examples=150)
@given(model=st.sampled_from(MODELS), data=st.data())
def test_a_damaged_call_is_one_callers_trouble(wire: Wire, model: str, data: st.DataObject) -> None:
    payload = bytearray(VALID[model].SerializeToString())
    if data.draw(st.booleans(), "truncated"):
        del payload[data.draw(st.integers(0, len(payload) - 1), "length") :]
    for place in data.draw(st.lists(st.integers(0, max(0, len(payload) - 1)), max_size=3)):
        if payload:
            payload[place] = data.draw(st.integers(0, 255))
    answer = wire.send_payload(model, bytes(payload))
    assert answer.code in REFUSALS | {grpc.StatusCode.OK}
    assert_says_no_secrets(answer)
