"""Embed: texts to encode, and their vectors, written by one model and read by another."""

from __future__ import annotations

import numpy as np

from penchant.domain.types import Matrix
from penchant.service.embed import Embedded, EmbedRequest
from penchant_proto.v1 import embed_pb2
from penchant_proto.v1.service_pb2 import Reply


def embed_request(message: embed_pb2.EmbedRequest) -> EmbedRequest:
    """The texts to encode, and the encoder's version."""
    return EmbedRequest(list(message.texts), message.encoder_version)


def embed_reply(embedded: Embedded) -> Reply:
    """Vectors as the little-endian float32 bytes of their rows."""
    return Reply(
        embed=embed_pb2.EmbedReply(
            vectors=embedded.vectors.astype("<f4").tobytes(),
            dimensions=embedded.vectors.shape[1],
            encoder_version=embedded.encoder_version,
        )
    )


def embeddings(reply: embed_pb2.EmbedReply) -> Matrix:
    """The vectors of an embed reply, shape (texts, d)."""
    return np.frombuffer(reply.vectors, "<f4").reshape(-1, reply.dimensions)
