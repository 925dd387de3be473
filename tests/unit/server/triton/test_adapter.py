"""The adapter: one response per request, whatever the other requests are."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penchant.config import Config
from penchant.domain.errors import StateCorrupt
from penchant.encoder.base import Encoders
from penchant.encoder.library import EncoderLibrary
from penchant.launch import probe
from penchant.server.triton.adapter import MAX_BATCH, Adapter
from penchant.server.triton.errors import INTERNAL_TEXT
from penchant.service.rank import RankService
from penchant.system.native_module import NATIVE_VARIABLE, native_choice
from penchant_proto.v1.item_pb2 import Item
from penchant_proto.v1.service_pb2 import Call
from tests.support.calls import feedback_call, forget_call, rank_call
from tests.support.fake_pb_utils import (
    FakePbUtils,
    Request,
    Response,
    TritonError,
    TritonModelException,
)
from tests.support.histories import FILMS
from tests.support.watched_encoder import WatchedEncoder

FINAL = FakePbUtils.TRITONSERVER_RESPONSE_COMPLETE_FINAL


@pytest.fixture
def pb_utils() -> FakePbUtils:
    return FakePbUtils()


@pytest.fixture
def encoder() -> WatchedEncoder:
    return WatchedEncoder()


Start = Callable[[str], Adapter]


@pytest.fixture
def start(
    tmp_path: Path, pb_utils: FakePbUtils, encoder: WatchedEncoder, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Start]:
    """Starts a model with a store in a directory."""

    def local_encoders(adapter: Adapter, model: str, config: Config) -> Encoders:
        return EncoderLibrary(encoder)

    monkeypatch.setattr(Adapter, "_encoders", local_encoders)
    started: list[Adapter] = []

    def begin(model: str) -> Adapter:
        parameters = {"store": "memory:", "encoder": "/e", "catalog_dir": str(tmp_path)}
        adapter = Adapter(pb_utils, arguments(model, parameters))
        started.append(adapter)
        return adapter

    yield begin
    for adapter in started:
        adapter.close()


def arguments(model: str, parameters: dict[str, str]) -> dict[str, str]:
    config = {"parameters": {name: {"string_value": text} for name, text in parameters.items()}}
    return {"model_name": model, "model_config": json.dumps(config)}


def request(call: Call) -> Request:
    return Request(call.SerializeToString())


def put_call() -> Call:
    call = Call()
    call.put_items.items.extend(Item(id=id_, text=text) for id_, text in FILMS.items())
    return call


def test_a_call_is_answered_with_its_reply(start: Start, pb_utils: FakePbUtils) -> None:
    adapter = start("penchant_rank")
    (response,) = adapter.execute([request(rank_call())])
    assert response.reply().rank.cold_start
    adapter.close()
    assert pb_utils.value("penchant_requests_total", method="rank", result="ok") == 1


def test_each_bad_request_is_refused_alone(start: Start) -> None:
    payload = rank_call().SerializeToString()
    requests = [
        request(rank_call()),
        Request(payload, (2, 1)),
        Request(payload, (1, 2)),
        Request(b"\xff\xff"),
        Request(b""),
        request(feedback_call("e1")),
        request(rank_call(k=0)),
        request(rank_call()),
    ]
    responses = start("penchant_rank").execute(requests)
    assert len(responses) == len(requests)
    texts = [response.error().text if response.has_error() else "" for response in responses]
    assert texts[0] == texts[-1] == ""
    assert all(text.startswith("[InvalidRequest] ") for text in texts[1:-1])
    assert texts[1] == "[InvalidRequest] REQUEST: got shape [2, 1], expected [1, 1]"
    codes = {response.error().code for response in responses if response.has_error()}
    assert codes == {TritonError.INVALID_ARG}


def test_a_request_without_its_tensor_is_refused_alone(
    start: Start, pb_utils: FakePbUtils, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter, lacking = start("penchant_rank"), request(rank_call())
    read = pb_utils.get_input_tensor_by_name
    monkeypatch.setattr(
        pb_utils,
        "get_input_tensor_by_name",
        lambda one, name: None if one is lacking else read(one, name),
    )
    refused, answered = adapter.execute([lacking, request(rank_call())])
    assert refused.error().text.startswith("[InvalidRequest] REQUEST: ")
    assert not answered.has_error()


def test_a_missing_user_is_not_found(start: Start) -> None:
    adapter, forget = start("penchant_users"), request(forget_call("x"))
    assert adapter.execute([forget]) == [None]
    adapter.close()
    ((response, _),) = forget.sender.sent
    assert response.error().code == TritonError.NOT_FOUND
    assert response.error().text.startswith("[UserNotFound] user: no event of 'x'")


def test_an_empty_batch_has_no_responses(start: Start) -> None:
    assert start("penchant_rank").execute([]) == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [(RuntimeError("/secret"), "InternalError"), (StateCorrupt("/secret"), "StateCorrupt")],
)
def test_nothing_internal_reaches_the_caller(
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def rank(service: RankService, requests: object) -> object:
        raise error

    monkeypatch.setattr(RankService, "rank", rank)
    adapter = start("penchant_rank")
    with caplog.at_level(logging.ERROR, "penchant"):
        responses = adapter.execute([request(rank_call())] * 2)
    assert "/secret" in caplog.text
    for response in responses:
        assert response.error().code == TritonError.INTERNAL
        assert response.error().text == f"[{reason}] {INTERNAL_TEXT}"


def test_what_waits_for_the_encoder_is_answered_through_its_sender(
    start: Start, pb_utils: FakePbUtils
) -> None:
    adapter = start("penchant_rank")
    slow, quick, bad = request(rank_call(query="pig")), request(rank_call()), Request(b"\xff")
    responses = adapter.execute([slow, quick, bad])
    assert responses[0] is None
    assert isinstance(responses[1], Response)
    assert responses[2].has_error()
    adapter.close()
    ((response, flags),) = slow.sender.sent
    assert response.reply().rank.cold_start
    assert flags == FINAL
    assert quick.sender.sent == []
    assert pb_utils.value("penchant_requests_total", method="rank", result="ok") == 2


def test_a_put_is_answered_through_its_sender(start: Start) -> None:
    adapter, put = start("penchant_catalog"), request(put_call())
    assert adapter.execute([put]) == [None]
    adapter.close()
    ((response, _),) = put.sender.sent
    assert response.reply().put_items.changed == len(FILMS)


def test_a_failing_encoder_is_reported_through_the_sender(
    start: Start, encoder: WatchedEncoder
) -> None:
    adapter, put = start("penchant_catalog"), request(put_call())
    encoder.break_down()
    adapter.execute([put])
    adapter.close()
    ((response, _),) = put.sender.sent
    assert response.error().code == TritonError.UNAVAILABLE
    assert response.error().text == "[EncoderUnavailable] encoder: down"


def test_a_caller_that_is_gone_costs_nobody_else_the_answer(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    adapter = start("penchant_rank")
    waiting = [request(rank_call(query=text)) for text in ("pig", "space", "drama")]
    waiting[0].sender.gone = True
    with caplog.at_level(logging.ERROR, "penchant"):
        adapter.execute(waiting)
        adapter.close()
    assert [len(one.sender.sent) for one in waiting] == [0, 1, 1]
    assert "the caller is gone" in caplog.text


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({}, "[ConfigError] store: missing; set it in the model's config.pbtxt parameters"),
        ({"store": "memory:", "encoder": "/e", "rigde": "1"}, "[ConfigError] rigde: unknown"),
        ({"store": "memory:", "encoder": "/e"}, "[ConfigError] catalog_dir: missing"),
        ({"store": "lmdb:/dev/null/x", "encoder": "/e"}, "[StoreUnavailable] store: can't open"),
    ],
)
def test_a_model_that_cannot_start_says_why(
    start: Start, pb_utils: FakePbUtils, parameters: dict[str, str], text: str
) -> None:
    with pytest.raises(TritonModelException) as refusal:
        Adapter(pb_utils, arguments("penchant_users", parameters))
    assert str(refusal.value).startswith(text)


def test_behind_a_full_batch_nobody_waits_in_tritons_queue(start: Start) -> None:
    """More may wait there: `execute` returns at once, and every call is answered later."""
    adapter = start("penchant_rank")
    full = [request(rank_call()) for _ in range(MAX_BATCH)]
    assert adapter.execute(full) == [None] * MAX_BATCH
    adapter.close()
    for one in full:
        ((response, flags),) = one.sender.sent
        assert response.reply().rank.cold_start
        assert flags == FINAL


@pytest.mark.parametrize("model", probe.calls())
def test_a_health_check_counts_in_no_metric(
    start: Start, pb_utils: FakePbUtils, model: str
) -> None:
    adapter = start(model)
    adapter.execute([request(probe.calls()[model])])
    adapter.close()
    assert pb_utils.value("penchant_requests_total") == 0
    assert pb_utils.value("penchant_errors_total") == 0


@pytest.mark.parametrize("forced", ["", "off"])
@pytest.mark.parametrize("model", ["penchant_rank", "penchant_feedback"])
def test_a_model_says_what_it_runs_by(
    start: Start,
    pb_utils: FakePbUtils,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    forced: str,
) -> None:
    monkeypatch.setenv(NATIVE_VARIABLE, forced)
    with caplog.at_level(logging.WARNING, "penchant"):
        start(model).close()
    assert f"{model} runs by {native_choice().reason}" in caplog.text
    assert pb_utils.value("penchant_native", model=model) == native_choice().runs
    assert (NATIVE_VARIABLE in caplog.text) == (forced == "off")


def test_a_model_that_ranks_and_learns_nothing_says_nothing_of_it(
    start: Start, pb_utils: FakePbUtils, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "penchant"):
        start("penchant_users").close()
    assert "runs by" not in caplog.text
    assert "penchant_native" not in pb_utils.families
