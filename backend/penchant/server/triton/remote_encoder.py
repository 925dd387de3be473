"""Calls from a model to the one that holds the encoder, inside the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from penchant.domain.errors import EncoderUnavailable
from penchant.domain.types import Matrix
from penchant.encoder.base import Encoder
from penchant.wire.embed import embeddings
from penchant_proto.methods import METHODS, REPLY_TENSOR, REQUEST_TENSOR
from penchant_proto.v1.service_pb2 import Call, Reply

TEXTS_PER_CALL = 256
"""Size limit of one call to the encoder's model, in texts."""


class RemoteEncoders:
    """The encoders that the encoder's model can load; see `penchant.encoder.base.Encoders`."""

    def __init__(self, pb_utils: Any, version: str, dimensions: int) -> None:
        """Refers to the server's encoders; nothing is called yet.

        Args:
            pb_utils: Triton's module.
            version: of the configured encoder, as its directory states.
            dimensions: length of its vectors.
        """
        self._pb_utils = pb_utils
        self.default: Encoder = RemoteEncoder(pb_utils, version, dimensions)

    def of(self, version: str, dimensions: int) -> Encoder:
        """See `Encoders.of`; a missing encoder shows only when it is used."""
        if version == self.default.version:
            return self.default
        return RemoteEncoder(self._pb_utils, version, dimensions)


class RemoteEncoder:
    """An encoder in another model of the same Triton; see `penchant.encoder.base.Encoder`."""

    def __init__(self, pb_utils: Any, version: str, dimensions: int) -> None:
        """Refers to one of the server's encoders; nothing is called yet.

        Args:
            pb_utils: Triton's module.
            version: of the encoder; named in each call, since vectors of two encoders must not mix.
            dimensions: length of a vector.
        """
        self._pb_utils = pb_utils
        self.version = version
        self.dimensions = dimensions

    def encode(self, texts: Sequence[str]) -> Matrix:
        """See `Encoder.encode`."""
        if not texts:
            return np.empty((0, self.dimensions), np.float32)
        starts = range(0, len(texts), TEXTS_PER_CALL)
        return np.concatenate([self._call(texts[s : s + TEXTS_PER_CALL]) for s in starts])

    def _call(self, texts: Sequence[str]) -> Matrix:
        call = Call()
        call.embed.texts.extend(texts)
        call.embed.encoder_version = self.version
        payload = np.array([[call.SerializeToString()]], dtype=np.object_)
        request = self._pb_utils.InferenceRequest(
            model_name=METHODS["embed"].model,
            requested_output_names=[REPLY_TENSOR],
            inputs=[self._pb_utils.Tensor(REQUEST_TENSOR, payload)],
        )
        try:
            response = request.exec()
        except self._pb_utils.TritonModelException as error:
            raise EncoderUnavailable(f"encoder: {error}") from error
        if response.has_error():
            raise EncoderUnavailable(f"encoder: {response.error().message()}")
        tensor = self._pb_utils.get_output_tensor_by_name(response, REPLY_TENSOR)
        reply = Reply.FromString(tensor.as_numpy().item()).embed
        if reply.encoder_version != self.version:
            raise EncoderUnavailable(
                f"encoder: got vectors of {reply.encoder_version}, expected {self.version}; "
                "reload the models after changing the encoder"
            )
        return embeddings(reply)
