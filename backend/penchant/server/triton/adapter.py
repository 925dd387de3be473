"""From Triton's requests to the app and back: tensors, errors, and who may wait for whom."""

from __future__ import annotations

import gc
import importlib
import json
import logging
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from penchant.config import Config, parse, releases_directory
from penchant.domain.errors import InternalError, InvalidRequest, Overloaded, PenchantError
from penchant.encoder.base import Encoder, Encoders
from penchant.encoder.bundle import read_bundle
from penchant.encoder.cache import CachedEncoder
from penchant.encoder.library import EncoderLibrary
from penchant.encoder.runtime import load_encoder
from penchant.server.app import App, Parsed, build
from penchant.server.triton.deferred_queue import DeferredQueue
from penchant.server.triton.errors import to_triton
from penchant.server.triton.metrics import MeteredEncoder, TritonMeter
from penchant.server.triton.remote_encoder import RemoteEncoders
from penchant_proto.methods import METHODS, REPLY_TENSOR, REQUEST_TENSOR
from penchant_proto.v1.service_pb2 import Reply

log = logging.getLogger("penchant")

MAX_BATCH = 64
"""`max_batch_size` of every model: a batch of this size means that more are waiting."""

_ABANDONED = Overloaded("REQUEST: the caller's deadline passed while it waited")


class Adapter:
    """One instance of one model. Triton calls `execute` from one thread at a time."""

    def __init__(self, pb_utils: Any, args: dict[str, str]) -> None:
        """Builds the model's app.

        Args:
            pb_utils: Triton's module, which exists only inside a server.
            args: Triton's: the model's name and its configuration as JSON.

        Raises:
            TritonModelException: with the reason in brackets; the server shows it in its log.
        """
        logging.basicConfig(stream=sys.stderr, format="penchant %(levelname)s %(message)s")
        self._pb_utils = pb_utils
        model = args["model_name"]
        try:
            config = parse(_parameters(args["model_config"]))
            # One thread a process: requests are many and small, and processes run side by side.
            importlib.import_module("threadpoolctl").threadpool_limits(1)
            self._meter = TritonMeter(pb_utils, model)
            self._app: App = build([model], config, self._encoders(model, config), self._meter)
        except PenchantError as error:
            text = f"[{error.reason}] {error}"
            raise pb_utils.TritonModelException(text) from error
        self._slow_lane = DeferredQueue(self._answer_slow, MAX_BATCH)
        # What was loaded stays: without this each full collection walks over all of it.
        gc.collect()
        gc.freeze()

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """One response per request, or None for one that is answered when its encoding is done."""
        responses: list[Any] = [None] * len(requests)
        abandoned = self._abandoned(requests)
        now: list[tuple[int, Parsed]] = []
        for place, request in enumerate(requests):
            parsed = _ABANDONED if abandoned[place] else self._parse(request)
            if isinstance(parsed, PenchantError):
                responses[place] = self._response("none", parsed)
            elif parsed.slow:
                self._slow_lane.put((request.get_response_sender(), parsed))
            else:
                now.append((place, parsed))
        for (place, parsed), reply in zip(now, self._answer([p for _, p in now]), strict=True):
            responses[place] = self._response(parsed.field, reply)
        return responses

    def _abandoned(self, requests: Sequence[Any]) -> Sequence[bool]:
        """Which requests nobody waits for any more: under overload they must not cost the others.

        Asking costs a message to the server, so it is only done when a batch is full, and for all
        of it only when the caller of the oldest has given up.
        """
        if len(requests) < MAX_BATCH or not requests[0].is_cancelled():
            return [False] * len(requests)
        return [request.is_cancelled() for request in requests]

    def close(self) -> None:
        """Answers what waits, sends the last metrics, closes the store."""
        self._slow_lane.close()
        self._meter.close()
        self._app.close()

    def _encoders(self, model: str, config: Config) -> Encoders:
        """The encoder's model holds them; the others reach them there."""
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

    def _parse(self, request: Any) -> Parsed | PenchantError:
        tensor = self._pb_utils.get_input_tensor_by_name(request, REQUEST_TENSOR)
        if tensor is None:
            return InvalidRequest(f"{REQUEST_TENSOR}: missing, expected shape [1, 1]")
        array = tensor.as_numpy()
        if array.size != 1:
            return InvalidRequest(
                f"{REQUEST_TENSOR}: got shape {list(array.shape)}, expected [1, 1]"
            )
        return self._app.parse(array.item())

    def _answer(self, calls: Sequence[Parsed]) -> Sequence[Reply | PenchantError]:
        try:
            return self._app.answer(calls) if calls else []
        except Exception:
            log.exception("a batch of %d failed", len(calls))
            return [InternalError()] * len(calls)

    def _answer_slow(self, waiting: Sequence[tuple[Any, Parsed]]) -> None:
        replies = self._answer([parsed for _, parsed in waiting])
        for (sender, parsed), reply in zip(waiting, replies, strict=True):
            try:
                response = self._response(parsed.field, reply)
                sender.send(response, flags=self._pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
            except Exception:  # One caller that is gone must not keep the others waiting.
                log.exception("a reply to %s could not be sent", parsed.field)

    def _response(self, field: str, reply: Reply | PenchantError) -> Any:
        pb_utils = self._pb_utils
        if isinstance(reply, PenchantError):
            self._meter.request(field, reply.reason)
            return pb_utils.InferenceResponse([], error=to_triton(pb_utils, reply))
        self._meter.request(field, "")
        payload = np.array([[reply.SerializeToString()]], dtype=np.object_)
        return pb_utils.InferenceResponse([pb_utils.Tensor(REPLY_TENSOR, payload)])


def _parameters(model_config: str) -> dict[str, str]:
    parameters = json.loads(model_config).get("parameters", {})
    return {name: value["string_value"] for name, value in parameters.items()}
