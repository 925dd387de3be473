"""From Triton's tensors to the dispatch and back, in batches or through the deferred queue."""

from __future__ import annotations

import gc
import importlib
import json
import logging
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from penchant.config import Config, parse, releases_directory
from penchant.domain.errors import InvalidRequest, Overloaded, PenchantError
from penchant.encoder.base import Encoder, Encoders
from penchant.encoder.bundle import read_bundle
from penchant.encoder.cache import CachedEncoder
from penchant.encoder.library import EncoderLibrary
from penchant.encoder.runtime import load_encoder
from penchant.server.app import App, build
from penchant.server.dispatch import ParsedCall
from penchant.server.triton.deferred_queue import DeferredQueue
from penchant.server.triton.errors import to_triton
from penchant.server.triton.prometheus import MeteredEncoder, TritonMeter
from penchant.server.triton.remote_encoder import RemoteEncoders
from penchant_proto.methods import METHODS, REPLY_TENSOR, REQUEST_TENSOR
from penchant_proto.v1.service_pb2 import Reply

log = logging.getLogger("penchant")

MAX_BATCH = 64
"""`max_batch_size` of every model; a full batch means that more requests are waiting."""

_ABANDONED = Overloaded("REQUEST: the caller's deadline passed while it waited")


class Adapter:
    """One instance of one model. Triton calls `execute` from one thread at a time."""

    def __init__(self, pb_utils: Any, args: dict[str, str]) -> None:
        """Builds the model's app.

        Args:
            pb_utils: Triton's module, which exists only inside a server.
            args: Triton's arguments: the model's name, and its configuration as JSON.

        Raises:
            TritonModelException: the model cannot start; the server logs the message.
        """
        logging.basicConfig(stream=sys.stderr, format="penchant %(levelname)s %(message)s")
        self._pb_utils = pb_utils
        model = args["model_name"]
        try:
            config = parse(_parameters(args["model_config"]))
            # One thread per process: requests are many and small, and processes run side by side.
            importlib.import_module("threadpoolctl").threadpool_limits(1)
            self._meter = TritonMeter(pb_utils, model)
            encoders = self._encoders(model, config)
            self._app: App = build([model], config, encoders, self._meter, server_pid=os.getppid())
        except PenchantError as error:
            text = f"[{error.reason}] {error}"
            raise pb_utils.TritonModelException(text) from error
        self._deferred = DeferredQueue(self._answer_deferred, MAX_BATCH)
        # Loaded objects stay for good; without this, each full collection would visit them all.
        gc.collect()
        gc.freeze()

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """One response per request, or None for a request that waits for the encoder."""
        responses: list[Any] = [None] * len(requests)
        abandoned = self._abandoned(requests)
        places: list[int] = []
        calls: list[ParsedCall] = []
        for place, request in enumerate(requests):
            call = _ABANDONED if abandoned[place] else self._parse(request)
            if isinstance(call, PenchantError):
                responses[place] = self._response("none", call)
            elif call.needs_encoder:
                self._deferred.put((request.get_response_sender(), call))
            else:
                places.append(place)
                calls.append(call)
        answers = self._app.dispatch.answer(calls)
        for place, call, answer in zip(places, calls, answers, strict=True):
            responses[place] = self._response(call.field, answer)
        return responses

    def _abandoned(self, requests: Sequence[Any]) -> Sequence[bool]:
        """Whether each request's caller has given up; under overload, nobody waits for its answer.

        Each question is a message to the server. It is therefore asked only about a full batch,
        and about all of it only if the caller of the oldest request has given up.
        """
        if len(requests) < MAX_BATCH or not requests[0].is_cancelled():
            return [False] * len(requests)
        return [request.is_cancelled() for request in requests]

    def close(self) -> None:
        """Answers the deferred calls, sends the last metrics and closes the store."""
        self._deferred.close()
        self._meter.close()
        self._app.close()

    def _encoders(self, model: str, config: Config) -> Encoders:
        """The engines themselves in the encoder's model; in the others, a way to call it."""
        if model == METHODS["embed"].model:
            load = partial(self._load, config=config)
            return EncoderLibrary(load(config.encoder), releases_directory(config), load)
        bundle = read_bundle(config.encoder)
        return RemoteEncoders(self._pb_utils, bundle.version, bundle.settings.dimensions)

    def _load(self, directory: Path, config: Config) -> Encoder:
        encoder, why = load_encoder(
            directory,
            config.encoder_runtime,
            threads=config.encoder_threads,
            fallback=config.encoder_fallback,
        )
        log.warning("encoder %s runs by %s", encoder.version, why)
        return CachedEncoder(MeteredEncoder(encoder, self._meter))

    def _parse(self, request: Any) -> ParsedCall | PenchantError:
        tensor = self._pb_utils.get_input_tensor_by_name(request, REQUEST_TENSOR)
        if tensor is None:
            return InvalidRequest(f"{REQUEST_TENSOR}: missing, expected shape [1, 1]")
        array = tensor.as_numpy()
        if array.size != 1:
            return InvalidRequest(
                f"{REQUEST_TENSOR}: got shape {list(array.shape)}, expected [1, 1]"
            )
        return self._app.dispatch.parse(array.item())

    def _answer_deferred(self, waiting: Sequence[tuple[Any, ParsedCall]]) -> None:
        answers = self._app.dispatch.answer([call for _, call in waiting])
        for (sender, call), answer in zip(waiting, answers, strict=True):
            try:
                response = self._response(call.field, answer)
                sender.send(response, flags=self._pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
            except Exception:  # A caller that is gone must not cost the others their answers.
                log.exception("a reply to %s could not be sent", call.field)

    def _response(self, field: str, answer: Reply | PenchantError) -> Any:
        pb_utils = self._pb_utils
        if isinstance(answer, PenchantError):
            self._meter.request(field, answer.reason)
            return pb_utils.InferenceResponse([], error=to_triton(pb_utils, answer))
        self._meter.request(field, "")
        payload = np.array([[answer.SerializeToString()]], dtype=np.object_)
        return pb_utils.InferenceResponse([pb_utils.Tensor(REPLY_TENSOR, payload)])


def _parameters(model_config: str) -> dict[str, str]:
    parameters = json.loads(model_config).get("parameters", {})
    return {name: value["string_value"] for name, value in parameters.items()}
