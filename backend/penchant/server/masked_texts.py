"""Masks free text where calls come in, before the encoder, the store and any log see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from penchant.domain.masking import masked
from penchant.domain.types import Item
from penchant.service.embed import EmbedRequest
from penchant.service.rank import RankRequest
from penchant.wire.embed import embed_request
from penchant_proto.v1 import embed_pb2


def masked_rank(
    check: Callable[[RankRequest], RankRequest],
) -> Callable[[RankRequest], RankRequest]:
    """The check of a ranking, with its query masked."""

    def checked(request: RankRequest) -> RankRequest:
        request = check(request)
        if not request.query:
            return request
        query = masked(request.query)
        return request if query is request.query else replace(request, query=query)

    return checked


def masked_embed_request(message: embed_pb2.EmbedRequest) -> EmbedRequest:
    """The texts to encode, masked; those of items, which come from another model, as they are."""
    request = embed_request(message)
    return request if message.bulk else replace(request, texts=list(map(masked, request.texts)))


def masked_items(
    check: Callable[[Sequence[Item]], Sequence[Item]],
) -> Callable[[Sequence[Item]], Sequence[Item]]:
    """The check of a put, with the items' texts masked."""

    def checked(items: Sequence[Item]) -> Sequence[Item]:
        return [replace(item, text=masked(item.text)) for item in check(items)]

    return checked
