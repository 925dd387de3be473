"""Embed: each text once, each request its own rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.errors import EncoderUnavailable
from penchant.service.embed import EmbedService
from tests.support.bag_of_words import BagOfWords


@given(requests=st.lists(st.lists(st.sampled_from("abcd"), min_size=1), min_size=1, max_size=4))
def test_every_request_gets_its_texts_vectors(requests: list[list[str]]) -> None:
    encoder = BagOfWords()
    service = EmbedService(encoder)
    replies = service.embed(requests)
    assert len(encoder.encoded) == len(set(encoder.encoded))
    for texts, vectors in zip(requests, replies, strict=True):
        np.testing.assert_array_equal(vectors, encoder.encode(texts))
    assert service.encoder_version == encoder.version


def test_a_failing_encoder_is_passed_on() -> None:
    encoder = BagOfWords()
    encoder.break_down()
    with pytest.raises(EncoderUnavailable):
        EmbedService(encoder).embed([["a"]])
