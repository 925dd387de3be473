"""Calls to the encoder's model inside the server."""

from __future__ import annotations

import numpy as np
import pytest

from penchant.domain.errors import EncoderUnavailable, Overloaded
from penchant.encoder.bag_of_words import BagOfWords
from penchant.server.triton.process_turn import ProcessTurn
from penchant.server.triton.remote_encoder import TEXTS_PER_CALL, RemoteEncoder
from penchant.service.embed import Embedded
from penchant.wire.embed import embed_reply
from penchant_proto.methods import REPLY_TENSOR
from penchant_proto.v1.service_pb2 import Reply
from tests.support.fake_pb_utils import (
    FakePbUtils,
    Response,
    Sent,
    TritonError,
    TritonModelException,
)

ENCODER = BagOfWords()


def response(reply: Reply) -> Response:
    payload = np.array([[reply.SerializeToString()]], np.object_)
    return Response([Sent(REPLY_TENSOR, payload)])


def remote(pb_utils: FakePbUtils, version: str = ENCODER.version) -> RemoteEncoder:
    return RemoteEncoder(pb_utils, version, ENCODER.dimensions, ProcessTurn(), bulk=False)


def test_texts_become_the_encoders_vectors() -> None:
    pb_utils = FakePbUtils()
    pb_utils.inner_response = response(
        embed_reply(Embedded(ENCODER.encode(["a", "b"]), ENCODER.version))
    )
    np.testing.assert_array_equal(remote(pb_utils).encode(["a", "b"]), ENCODER.encode(["a", "b"]))
    ((model, call),) = pb_utils.inner_calls
    assert (model, list(call.embed.texts)) == ("penchant_encoder", ["a", "b"])


def test_many_texts_go_in_several_calls() -> None:
    pb_utils = FakePbUtils()
    pb_utils.inner_response = response(
        embed_reply(Embedded(ENCODER.encode(["a"]), ENCODER.version))
    )
    texts = [str(number) for number in range(TEXTS_PER_CALL + 1)]
    assert remote(pb_utils).encode(texts).shape == (2, 64)
    sent = [list(call.embed.texts) for _, call in pb_utils.inner_calls]
    assert sent == [texts[:TEXTS_PER_CALL], texts[TEXTS_PER_CALL:]]


def test_no_texts_need_no_call() -> None:
    pb_utils = FakePbUtils()
    assert remote(pb_utils).encode([]).shape == (0, 64)
    assert pb_utils.inner_calls == []


def test_an_error_of_the_encoder_is_encoder_unavailable() -> None:
    pb_utils = FakePbUtils()
    error = TritonError("[InternalError] down", TritonError.INTERNAL)
    pb_utils.inner_response = Response([], error)
    with pytest.raises(EncoderUnavailable, match="down"):
        remote(pb_utils).encode(["a"])


def test_a_busy_encoder_says_when_to_come_back() -> None:
    pb_utils = FakePbUtils()
    error = TritonError("[Overloaded] embed: busy; retry after 90 ms", TritonError.UNAVAILABLE)
    pb_utils.inner_response = Response([], error)
    with pytest.raises(Overloaded, match="retry after 90 ms"):
        remote(pb_utils).encode(["a"])


def test_an_encoder_that_is_not_there_is_encoder_unavailable() -> None:
    pb_utils = FakePbUtils()
    pb_utils.inner_response = TritonModelException("model is not ready")
    with pytest.raises(EncoderUnavailable, match="model is not ready"):
        remote(pb_utils).encode(["a"])


def test_vectors_of_another_encoder_are_not_taken() -> None:
    pb_utils = FakePbUtils()
    pb_utils.inner_response = response(embed_reply(Embedded(ENCODER.encode(["a"]), "another")))
    with pytest.raises(EncoderUnavailable, match="got vectors of another, expected b0b0"):
        remote(pb_utils).encode(["a"])
