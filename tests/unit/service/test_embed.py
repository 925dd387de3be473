"""Embed: each text is encoded once, each request gets its rows, each version has its encoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.errors import EncoderUnavailable
from penchant.domain.types import CatalogHead
from penchant.encoder.library import EncoderLibrary
from penchant.service.embed import Embedded, EmbedRequest, EmbedService
from penchant.store.items import write_head
from penchant.store.memory import MemoryStore
from tests.support.released import release_with
from tests.support.watched_encoder import WatchedEncoder


def embedded(service: EmbedService, requests: Sequence[EmbedRequest]) -> list[Embedded]:
    return [reply for reply in service.embed(requests) if isinstance(reply, Embedded)]


@given(requests=st.lists(st.lists(st.sampled_from("abcd"), min_size=1), min_size=1, max_size=4))
def test_every_request_gets_its_texts_vectors(requests: list[list[str]]) -> None:
    encoder = WatchedEncoder()
    service = EmbedService(MemoryStore(), EncoderLibrary(encoder))
    replies = embedded(service, [EmbedRequest(texts) for texts in requests])
    assert len(encoder.encoded) == len(set(encoder.encoded))
    for texts, reply in zip(requests, replies, strict=True):
        np.testing.assert_array_equal(reply.vectors, encoder.encode(texts))
        assert reply.encoder_version == encoder.version


def test_a_failing_encoder_is_passed_on() -> None:
    encoder = WatchedEncoder()
    encoder.break_down()
    service = EmbedService(MemoryStore(), EncoderLibrary(encoder))
    assert [type(reply) for reply in service.embed([EmbedRequest(["a"])])] == [EncoderUnavailable]


def test_one_unknown_version_costs_no_other_request_its_reply(tmp_path: Path) -> None:
    old, new = WatchedEncoder(), WatchedEncoder("c0c0c0c0c0c0c0c0", 8)
    library = release_with(new, tmp_path, default=old)
    service = EmbedService(MemoryStore(), library)
    asked = [EmbedRequest(["a"], version) for version in ("", new.version, "none", old.version)]
    replies = service.embed(asked)
    versions = [reply.encoder_version for reply in replies if isinstance(reply, Embedded)]
    assert versions == [old.version, new.version, old.version]
    assert isinstance(replies[2], EncoderUnavailable)


def test_without_a_version_the_catalogs_encoder_is_meant(tmp_path: Path) -> None:
    old, new = WatchedEncoder(), WatchedEncoder("c0c0c0c0c0c0c0c0", 8)
    store = MemoryStore()
    with store.transaction() as transaction:
        head = CatalogHead(rows=1, encoder_version=new.version, dimensions=8, release="r")
        write_head(transaction, head)
    service = EmbedService(store, release_with(new, tmp_path, default=old))
    (reply,) = embedded(service, [EmbedRequest(["a"])])
    assert reply.encoder_version == new.version
