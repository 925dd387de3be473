"""Calls from a model to the one that holds the encoder, inside the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from penchant.domain.errors import EncoderUnavailable, Overloaded
from penchant.domain.types import Matrix
from penchant.encoder.base import Encoder
from penchant.server.triton.process_turn import ProcessTurn
from penchant.wire.embed import embeddings
from penchant_proto.methods import METHODS, REPLY_TENSOR, REQUEST_TENSOR
from penchant_proto.v1.service_pb2 import Call, Reply

TEXTS_PER_CALL = 256
"""Size limit of one call to the encoder's model, in texts."""
QUERY_TIMEOUT_MS, BULK_TIMEOUT_MS = 2_000, 30_000
"""Milliseconds after which the caller's own caller has given up."""
Parameters = Mapping[str, str | int | bool]
_OVERLOADED = f"[{Overloaded.__name__}] "


class RemoteEncoders:
    """The encoders that the encoder's model can load; see `penchant.encoder.base.Encoders`."""

    def __init__(
        self,
        pb_utils: Any,
        version: str,
        dimensions: int,
        turn: ProcessTurn,
        *,
        bulk: bool,
        parameters: Parameters = MappingProxyType({}),
    ) -> None:
        """Refers to the server's encoders; nothing is called yet.

        Args:
            pb_utils: Triton's module.
            version: of the configured encoder, as its directory states.
            dimensions: length of its vectors.
            turn: given to others while the encoder works.
            bulk: whether the texts of other models go first.
            parameters: of each request; they say who calls, where the server asks for tokens.
        """
        self._refer = partial(
            RemoteEncoder, pb_utils, turn=turn, bulk=bulk, parameters=dict(parameters)
        )
        self.default: Encoder = self._refer(version, dimensions)

    def of(self, version: str, dimensions: int) -> Encoder:
        """See `Encoders.of`; a missing encoder shows only when it is used."""
        if version == self.default.version:
            return self.default
        return self._refer(version, dimensions)


class RemoteEncoder:
    """An encoder in another model of the same Triton; see `penchant.encoder.base.Encoder`."""

    def __init__(
        self,
        pb_utils: Any,
        version: str,
        dimensions: int,
        turn: ProcessTurn,
        *,
        bulk: bool,
        parameters: Parameters = MappingProxyType({}),
    ) -> None:
        """Refers to one of the server's encoders; nothing is called yet.

        Args:
            pb_utils: Triton's module.
            version: of the encoder; named in each call, since vectors of two encoders must not mix.
            dimensions: length of a vector.
            turn: given to others while the encoder works.
            bulk: whether the texts of other models go first.
            parameters: see `RemoteEncoders`.
        """
        self._pb_utils = pb_utils
        self._turn = turn
        self._bulk = bulk
        # Only where there are any: Triton's older builds don't know the argument.
        self._further = {"parameters": dict(parameters)} if parameters else {}
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
        call.embed.bulk = self._bulk
        call.timeout_ms = BULK_TIMEOUT_MS if self._bulk else QUERY_TIMEOUT_MS
        payload = np.array([[call.SerializeToString()]], dtype=np.object_)
        request = self._pb_utils.InferenceRequest(
            model_name=METHODS["embed"].model,
            requested_output_names=[REPLY_TENSOR],
            inputs=[self._pb_utils.Tensor(REQUEST_TENSOR, payload)],
            **self._further,
        )
        try:
            with self._turn.released():
                response = request.exec()
        except self._pb_utils.TritonModelException as error:
            raise EncoderUnavailable(f"encoder: {error}") from error
        if response.has_error():
            message = response.error().message()
            if message.startswith(_OVERLOADED):
                raise Overloaded(message.removeprefix(_OVERLOADED))
            raise EncoderUnavailable(f"encoder: {message}")
        tensor = self._pb_utils.get_output_tensor_by_name(response, REPLY_TENSOR)
        reply = Reply.FromString(tensor.as_numpy().item()).embed
        if reply.encoder_version != self.version:
            raise EncoderUnavailable(
                f"encoder: got vectors of {reply.encoder_version}, expected {self.version}; "
                "reload the models after changing the encoder"
            )
        return embeddings(reply)
