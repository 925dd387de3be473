"""Spans of calls: which calls have some, whose trace they join, and what they hold."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from penchant.config import Config
from penchant.encoder.bag_of_words import BagOfWords
from penchant.encoder.base import Encoders
from penchant.encoder.library import EncoderLibrary
from penchant.server.triton.adapter import Adapter
from penchant.server.triton.traces import ENDPOINT
from penchant_proto.v1.service_pb2 import Call
from tests.support.calls import rank_call
from tests.support.fake_pb_utils import FakePbUtils, Request
from tests.support.otlp_receiver import OtlpReceiver, otlp_receiver

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with otlp_receiver() as found:
        yield found


@pytest.fixture
def rank(tmp_path: Path, receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch) -> Adapter:
    """The model of rankings; closing it sends its spans."""

    def local_encoders(adapter: Adapter, model: str, config: Config) -> Encoders:
        return EncoderLibrary(BagOfWords())

    monkeypatch.setattr(Adapter, "_encoders", local_encoders)
    monkeypatch.setenv(ENDPOINT, receiver.endpoint)
    parameters = {"store": "memory:", "encoder": "/e", "catalog_dir": str(tmp_path)}
    config = {"parameters": {name: {"string_value": text} for name, text in parameters.items()}}
    arguments = {"model_name": "penchant_rank", "model_config": json.dumps(config)}
    return Adapter(FakePbUtils(), arguments)


def request(call: Call, header: object = f"00-{TRACE}-{PARENT}-01", id_: str = "r1") -> Request:
    return Request(
        call.SerializeToString(), id_=id_, parameters=json.dumps({"traceparent": header})
    )


def explained() -> Call:
    call = rank_call()
    call.rank.explain = True
    return call


def test_a_sampled_call_has_a_span_in_its_callers_trace_and_its_steps_below(
    rank: Adapter, receiver: OtlpReceiver
) -> None:
    rank.execute([request(rank_call())])
    rank.close()
    (span,) = receiver.named("penchant.rank")
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    steps = {one.name for one in receiver.spans if one.parent_span_id == span.span_id}
    assert steps == {"parse", "read", "fold", "score"}
    assert len(receiver.spans) == 1 + len(steps)


def test_a_long_calls_slices_are_one_step_each_kind(rank: Adapter, receiver: OtlpReceiver) -> None:
    sent = request(explained())
    assert rank.execute([sent]) == [None]
    deadline = time.monotonic() + 60
    while not sent.sender.sent:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    rank.close()
    names = [span.name for span in receiver.spans]
    assert sorted(names) == sorted(["penchant.rank", "parse", "wait", "read", "fold", "score"])


def test_a_refused_calls_span_has_the_reason_and_not_the_text(
    rank: Adapter, receiver: OtlpReceiver
) -> None:
    rank.execute([request(rank_call(k=0), id_="r2")])
    rank.close()
    (span,) = receiver.named("penchant.rank")
    attributes = {one.key: one.value.string_value for one in span.attributes}
    assert attributes == {
        "penchant.model": "penchant_rank",
        "penchant.request_id": "r2",
        "penchant.reason": "InvalidRequest",
    }
    assert not any(b"expected 1 to" in body for body in receiver.bodies)


@pytest.mark.parametrize(
    "header",
    [
        f"00-{TRACE}-{PARENT}-00",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{PARENT}",
        "x" * 10_000,
        7,
        None,
    ],
    ids=["unsampled", "no-trace", "no-span", "short", "long", "a-number", "null"],
)
def test_a_call_without_a_sampled_trace_has_no_spans_and_its_answer(
    rank: Adapter, receiver: OtlpReceiver, header: object
) -> None:
    (response,) = rank.execute([request(rank_call(), header)])
    assert response.reply().rank.cold_start
    rank.close()
    assert not receiver.spans
