"""One rank after the other in a process of its own, without Triton: compiled, or by NumPy."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

from benchmarks.calls import RANK_MODEL, CallRecipe, bodies
from benchmarks.prepare import RandomEncoder, config_for
from penchant.domain.errors import PenchantError
from penchant.encoder.bundle import read_bundle
from penchant.encoder.library import EncoderLibrary
from penchant.server.app import App, build
from penchant.service.meter import SilentMeter
from penchant.system.native_module import NATIVE_VARIABLE
from penchant_proto.kserve.v1 import kserve_pb2
from penchant_proto.v1.service_pb2 import Reply

_WARM_UP = 100


def rank_in_process(
    store: Path, encoder: Path, recipe: CallRecipe, native: bool, seconds: float, seed: int
) -> list[float]:
    """Milliseconds of each rank, from the request's bytes to the reply's.

    Args:
        store: directory of an LMDB store that this process has not opened.
        encoder: directory of the encoder; no text is encoded.
        recipe: the calls.
        native: whether the compiled module runs, rather than NumPy.
        seconds: duration of the measurement.
        seed: of the calls.
    """
    before = os.environ.get(NATIVE_VARIABLE, "")
    os.environ[NATIVE_VARIABLE] = "" if native else "off"
    bundle = read_bundle(encoder)
    encoders = EncoderLibrary(RandomEncoder(bundle.version, bundle.settings.dimensions))
    app = build([RANK_MODEL], config_for(store, encoder), encoders, SilentMeter())
    payloads = [_payload(body) for body in bodies(recipe, 1000, seed)]
    try:
        for payload in payloads[:_WARM_UP]:
            _answered(app, payload, native)
        latencies: list[float] = []
        end = time.perf_counter() + seconds
        for payload in itertools.cycle(payloads):
            started = time.perf_counter()
            if started > end:
                return latencies
            _answered(app, payload, native)
            latencies.append((time.perf_counter() - started) * 1e3)
        return latencies
    finally:
        app.close()
        os.environ[NATIVE_VARIABLE] = before


def _answered(app: App, payload: bytes, native: bool) -> None:
    answer = app.dispatch.handle(payload)
    if isinstance(answer, Reply):
        answer.SerializeToString()
    if isinstance(answer, PenchantError):
        raise answer
    if isinstance(answer, bytes) != native:
        raise ValueError(f"rank in process: native is {native}, and the other way answered")


def _payload(body: bytes) -> bytes:
    return kserve_pb2.ModelInferRequest.FromString(body).raw_input_contents[0][4:]
