"""From Triton's tensors to the dispatch and back: at once, or through a lane.

Small calls are answered where Triton hands them over, in batches. As soon as a batch is full, more
than it waits in Triton's own queue, which has no bound that fits: then calls go through a lane of
this process, which knows how long its callers wait, and `execute` returns at once for the next.
"""

from __future__ import annotations

import gc
import importlib
import json
import logging
import os
import re
import sys
import time
from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from penchant.config import Config, parse, releases_directory, store_directory
from penchant.domain.caller import LOCAL, Caller
from penchant.domain.errors import InvalidRequest, PenchantError
from penchant.encoder.base import Encoder, Encoders
from penchant.encoder.bundle import read_bundle
from penchant.encoder.cache import CachedEncoder
from penchant.encoder.library import EncoderLibrary
from penchant.report.printable import PrintableFormatter
from penchant.report.private_log import keep_logs_private
from penchant.server.app import App, build
from penchant.server.dispatch import Answer, Dispatch, Lane, ParsedCall
from penchant.server.gauges import StoreGauges
from penchant.server.identity.callers import Callers, callers_of
from penchant.server.identity.forwarded import TENANT_PARAMETER
from penchant.server.metric_table import Series
from penchant.server.tenants import TenantApps
from penchant.server.triton.batch_lane import BatchLane
from penchant.server.triton.bulk_lane import BulkLane
from penchant.server.triton.direct_calls import DirectCalls
from penchant.server.triton.error_log import ErrorLog
from penchant.server.triton.errors import to_triton
from penchant.server.triton.process_turn import ProcessTurn
from penchant.server.triton.prometheus import MeteredEncoder, TritonMeter
from penchant.server.triton.remote_encoder import RemoteEncoders
from penchant.server.triton.restart_gauges import restart_gauges
from penchant.server.triton.traces import CallTrace, traces_of
from penchant.server.triton.waiting_call import EXPIRED, WaitingCall
from penchant.service.attempt import attempt
from penchant.system.log_format import log_as_json, logs_are_json
from penchant.system.native_module import COST_OF_NUMPY, native_choice
from penchant.system.step_times import Step, recorded
from penchant.system.supervision import RestartNote
from penchant_proto.methods import METHODS, REPLY_TENSOR, REQUEST_TENSOR

log = logging.getLogger("penchant")

MAX_BATCH = 64
"""Calls answered together, at most."""
SWITCH_S = 0.001
"""Seconds after which a thread of Python lets another one run; a slice may be all Python."""

_HOT_MODELS = frozenset(METHODS[field].model for field in ("rank", "feedback"))
_REQUEST_ID = re.compile(r"[0-9A-Za-z_.:-]{1,64}")


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
        if logs_are_json():
            log_as_json()
            log.setLevel(logging.INFO)
        else:
            handler = logging.StreamHandler(sys.stderr)
            handler.setFormatter(PrintableFormatter("penchant %(levelname)s %(message)s"))
            logging.basicConfig(handlers=[handler])
        keep_logs_private()
        self._pb_utils = pb_utils
        model, process = args["model_name"], args.get("model_instance_name", "")
        # A full batch means that more calls are waiting.
        self._full = int(json.loads(args["model_config"]).get("max_batch_size") or MAX_BATCH)
        self._model = model
        self._turn = ProcessTurn()
        self._is_encoder = model == METHODS["embed"].model
        try:
            config = parse(_parameters(args["model_config"]))
            # One thread per process: requests are many and small, and processes run side by side.
            importlib.import_module("threadpoolctl").threadpool_limits(1)
            self._meter = TritonMeter(pb_utils, model, process)
            self._traces = traces_of(model, process)
            processes = _processes(args["model_config"])
            self._callers = callers_of(config, processes, self._meter)
            encoders = self._encoders(model, config)
            self._app: App = build([model], config, encoders, self._meter, server_pid=os.getppid())
        except PenchantError as error:
            text = f"[{error.reason}] {error}"
            raise pb_utils.TritonModelException(text) from error
        if model == METHODS["feedback"].model:  # One process: a gauge must not be shown twice.
            self._meter.watch(partial(restart_gauges, RestartNote.read(os.environ)))
        if model in _HOT_MODELS:
            self._say_hot_path()
        self._errors = ErrorLog()
        sys.setswitchinterval(SWITCH_S)
        # Without tokens there are no tenants, and nothing stands before the one app.
        self._tenants: TenantApps | None = None
        self._answers, self._slices = self._app.dispatch.answer, self._app.dispatch.slices
        if self._callers is not None:
            self._default_encoder = encoders.default
            self._tenants = TenantApps(self._app, config, self._build_tenant)
            self._answers, self._slices = self._tenants.answer, self._tenants.slices
        self._direct = self._direct_calls(config)
        self._general = self._app.dispatch.without_native()
        self._crowd = BatchLane(self._answer_small, self._drop, MAX_BATCH)
        self._encoding = BatchLane(self._answer_batch, self._drop, MAX_BATCH)
        self._bulk = BulkLane(self._begin, self._answer, self._drop, self._turn)
        self._meter.watch(self._waiting)
        if model == METHODS["get_user"].model:
            self._meter.watch(_gauges_of(self._app, config).read)
        # Loaded objects stay for good; without this, each full collection would visit them all.
        gc.collect()
        gc.freeze()

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """One response per request, or None for a request that waits in a lane."""
        crowded = len(requests) >= self._full or self._crowd.calls > 0
        arrived_s = time.monotonic()
        if self._direct is None or crowded:
            return self._answered(requests, arrived_s, self._app.dispatch, crowded=crowded)
        responses = self._direct.answer(requests, arrived_s)
        if None in responses:
            left = [place for place, response in enumerate(responses) if response is None]
            some = [requests[place] for place in left]
            answers = self._answered(some, arrived_s, self._general, crowded=False)
            for place, answer in zip(left, answers, strict=True):
                responses[place] = answer
        return responses

    def _answered(
        self, requests: Sequence[Any], arrived_s: float, parser: Dispatch, *, crowded: bool
    ) -> list[Any]:
        """See `execute`.

        Args:
            requests: some of those that Triton handed over.
            arrived_s: when, on the monotonic clock.
            parser: parses them.
            crowded: whether all of them wait in lanes.
        """
        responses: list[Any] = [None] * len(requests)
        places: list[int] = []
        calls: list[ParsedCall] = []
        traces: list[CallTrace | None] = []
        for place, request in enumerate(requests):
            trace = None if self._traces is None else self._traces.begin(request)
            call = self._parse(request, trace, parser)
            if isinstance(call, PenchantError):
                responses[place] = self._refused(request, call)
            elif call.lane is Lane.SMALL and not crowded:
                places.append(place)
                calls.append(call)
                traces.append(trace)
            else:
                responses[place] = self._wait(request, call, trace)
        if calls:
            self._meter.batch(len(calls))
            with self._turn.small():
                answers = self._traced_answers(calls, traces)
            for place, call, answer, trace in zip(places, calls, answers, traces, strict=True):
                responses[place] = self._response(call, answer, arrived_s, requests[place], trace)
        return responses

    def _traced_answers(
        self, calls: Sequence[ParsedCall], traces: Sequence[CallTrace | None]
    ) -> list[Answer]:
        """The answers to calls; the steps of the work on all of them go into each one's trace."""
        if self._traces is None or not any(traces):
            return self._answers(calls)
        steps: list[Step] = []
        with recorded(steps):
            answers = self._answers(calls)
        for trace in traces:
            if trace is not None:
                trace.steps += steps
        return answers

    def _wait(self, request: Any, call: ParsedCall, trace: CallTrace | None) -> Any:
        """None for a call that waits in its lane, or the response of its refusal."""
        lane: BatchLane | BulkLane = self._bulk
        if call.lane is not Lane.BULK:
            lane = self._crowd if call.lane is Lane.SMALL else self._encoding
        waiting = WaitingCall(request.get_response_sender(), call, request.request_id(), trace)
        refusal = lane.put(waiting)
        if refusal is None:
            return None
        return self._response(call, refusal, waiting.arrived_s, request, trace)

    def _direct_calls(self, config: Config) -> DirectCalls | None:
        """The way of calls that nothing else must look at; None where something must."""
        native = self._app.dispatch.native
        if native is None or self._traces is not None or self._callers is not None:
            return None
        return DirectCalls(
            self._pb_utils, *native, config.limits.request_bytes, self._turn, self._meter
        )

    def _say_hot_path(self) -> None:
        """Says what answers in this process: in the log, and as a metric."""
        choice = native_choice()
        cost = "" if choice.runs else f"; {COST_OF_NUMPY}"
        log.warning("%s runs by %s%s", self._model, choice.reason, cost)
        gauge: dict[Series, float] = {("penchant_native", ()): float(choice.runs)}
        self._meter.watch(lambda: gauge)

    def close(self) -> None:
        """Answers the waiting calls, sends the last metrics and closes the store."""
        for lane in (self._crowd, self._encoding, self._bulk):
            lane.close()
        self._meter.close()
        if self._traces is not None:
            self._traces.close()
        if self._tenants is not None:
            self._tenants.close()
        self._app.close()

    def _encoders(self, model: str, config: Config) -> Encoders:
        """The engines themselves in the encoder's model; in the others, a way to call it."""
        if model == METHODS["embed"].model:
            load = partial(self._load, config=config)
            return EncoderLibrary(load(config.encoder), releases_directory(config), load)
        bundle = read_bundle(config.encoder)
        return RemoteEncoders(
            self._pb_utils,
            bundle.version,
            bundle.settings.dimensions,
            self._turn,
            bulk=model == METHODS["put_items"].model,
            parameters=self._callers.parameters if self._callers is not None else {},
        )

    def _build_tenant(self, tenant: str, config: Config) -> App:
        """The app of a tenant in this process, with the server's encoder and its own releases."""
        encoders: Encoders
        if self._is_encoder:
            load = partial(self._load, config=config)
            encoders = EncoderLibrary(self._default_encoder, releases_directory(config), load)
        else:
            assert self._callers is not None
            encoders = RemoteEncoders(
                self._pb_utils,
                self._default_encoder.version,
                self._default_encoder.dimensions,
                self._turn,
                bulk=self._model == METHODS["put_items"].model,
                parameters={**self._callers.parameters, TENANT_PARAMETER: tenant},
            )
        app = build([self._model], config, encoders, self._meter, server_pid=os.getppid())
        if self._model == METHODS["get_user"].model:
            self._meter.watch(_gauges_of(app, config).read, tenant=tenant)
        return app

    def _load(self, directory: Path, config: Config) -> Encoder:
        # Not above: an engine takes each process 0.1 s and 30 MB, and one process runs it.
        from penchant.encoder.runtime import load_encoder

        encoder, why = load_encoder(
            directory,
            config.encoder_runtime,
            threads=config.encoder_threads,
            fallback=config.encoder_fallback,
        )
        log.warning("encoder %s runs by %s", encoder.version, why)
        return CachedEncoder(MeteredEncoder(encoder, self._meter))

    def _parse(
        self, request: Any, trace: CallTrace | None, parser: Dispatch
    ) -> ParsedCall | PenchantError:
        call = self._parsed(request, parser)
        if trace is not None:
            trace.steps.append(Step("parse", trace.began_ns, time.time_ns()))
        return call

    def _parsed(self, request: Any, parser: Dispatch) -> ParsedCall | PenchantError:
        caller = LOCAL if self._callers is None else self._caller(request, self._callers)
        if isinstance(caller, PenchantError):
            return caller
        tensor = self._pb_utils.get_input_tensor_by_name(request, REQUEST_TENSOR)
        if tensor is None:
            return InvalidRequest(f"{REQUEST_TENSOR}: missing, expected shape [1, 1]")
        array = tensor.as_numpy()
        if array.size != 1:
            return InvalidRequest(
                f"{REQUEST_TENSOR}: got shape {list(array.shape)}, expected [1, 1]"
            )
        call = parser.parse(array.item(), caller)
        if isinstance(call, PenchantError):
            self._count(call, caller)
        return call

    @staticmethod
    def _caller(request: Any, callers: Callers) -> Caller | PenchantError:
        try:
            parameters = request.parameters()
        except Exception:  # noqa: BLE001  # Any bytes of a header that Triton can't hand over.
            return callers.refused_bytes()
        return attempt(callers.of, parameters)

    def _count(self, error: PenchantError, caller: Caller) -> None:
        """Counts a refusal that is due to the caller's identity."""
        if self._callers is not None:
            self._callers.count(error, caller.tenant)

    def _waiting(self) -> dict[Series, float]:
        lanes: dict[Lane, BatchLane | BulkLane] = {
            Lane.SMALL: self._crowd,
            Lane.ENCODER: self._encoding,
            Lane.BULK: self._bulk,
        }
        name = "penchant_waiting_calls"
        return {
            (name, (("lane", lane.value),)): float(queue.calls) for lane, queue in lanes.items()
        }

    def _begin(self, waiting: WaitingCall) -> Generator[None, None, Answer]:
        """The work on a call of the lane of long ones, slice by slice."""
        self._began([waiting])
        work = self._slices(waiting.call)
        if waiting.trace is None:
            return (yield from work)
        try:
            while True:
                try:
                    with recorded(waiting.trace.steps):
                        next(work)
                except StopIteration as end:
                    answer: Answer = end.value
                    return answer
                yield
        finally:
            work.close()

    def _began(self, waiting: Sequence[WaitingCall]) -> None:
        now_s = time.monotonic()
        self._meter.batch(len(waiting))
        for one in waiting:
            waited_s = now_s - one.arrived_s
            self._meter.waited(one.call.lane.value, waited_s)
            if one.trace is not None:
                now_ns = time.time_ns()
                one.trace.steps.append(Step("wait", now_ns - round(waited_s * 1e9), now_ns))

    def _answer_small(self, waiting: Sequence[WaitingCall]) -> None:
        self._began(waiting)
        with self._turn.small():
            answers = self._traced_answers(
                [one.call for one in waiting], [one.trace for one in waiting]
            )
        self._answer_each(waiting, answers)

    def _answer_batch(self, waiting: Sequence[WaitingCall]) -> None:
        if self._is_encoder:
            return self._answer_small(waiting)
        self._began(waiting)
        # These wait for the encoder in another process: nobody should wait with them.
        answers = self._traced_answers(
            [one.call for one in waiting], [one.trace for one in waiting]
        )
        self._answer_each(waiting, answers)
        return None

    def _answer_each(self, waiting: Sequence[WaitingCall], answers: Sequence[Answer]) -> None:
        for one, answer in zip(waiting, answers, strict=True):
            self._answer(one, answer)

    def _drop(self, waiting: WaitingCall) -> None:
        self._answer(waiting, EXPIRED)

    def _answer(self, waiting: WaitingCall, answer: Answer) -> None:
        try:
            response = self._response(
                waiting.call, answer, waiting.arrived_s, waiting, waiting.trace
            )
            final = self._pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL
            waiting.sender.send(response, flags=final)
        except Exception:  # A caller that is gone must not cost the others their answers.
            log.exception("a reply to %s could not be sent", waiting.call.field)

    def _response(
        self,
        call: ParsedCall,
        answer: Answer,
        arrived_s: float,
        source: Any,
        trace: CallTrace | None,
    ) -> Any:
        """The response to a call; `source` is its request, or the call that waited."""
        pb_utils = self._pb_utils
        reason = answer.reason if isinstance(answer, PenchantError) else ""
        if not call.health_check:
            tenant = call.caller.tenant
            if tenant and self._callers is not None:
                tenant = self._callers.label(tenant)
            self._meter.request(call.field, reason, time.monotonic() - arrived_s, tenant)
        if trace is not None and self._traces is not None:
            self._traces.end(trace, call.field, reason, _id_of(source))
        if isinstance(answer, PenchantError):
            self._count(answer, call.caller)
            trace_id = "" if trace is None else trace.trace_id
            self._errors.say(answer, call.field, _id_of(source), trace_id)
            return pb_utils.InferenceResponse([], error=to_triton(pb_utils, answer))
        reply = answer if isinstance(answer, bytes) else answer.SerializeToString()
        payload = np.array([[reply]], dtype=np.object_)
        return pb_utils.InferenceResponse([pb_utils.Tensor(REPLY_TENSOR, payload)])

    def _refused(self, request: Any, error: PenchantError) -> Any:
        """The response to a request that is no call."""
        self._meter.request("none", error.reason, 0.0)
        self._errors.say(error, "none", _id_of(request), "")
        return self._pb_utils.InferenceResponse([], error=to_triton(self._pb_utils, error))


def _id_of(source: Any) -> str:
    """The id that a caller gave its request; empty where it is none that a log should hold.

    Read only where it is needed, off the hot path.
    """
    id_ = source.request_id if isinstance(source, WaitingCall) else str(source.request_id())
    return id_ if _REQUEST_ID.fullmatch(id_) else ""


def _gauges_of(app: App, config: Config) -> StoreGauges:
    assert app.catalogs is not None
    return StoreGauges(app.store, app.catalogs, store_directory(config))


def _processes(model_config: str) -> int:
    """Processes of the model: Triton starts one for each of its instances."""
    groups = json.loads(model_config).get("instance_group", [])
    return max(1, sum(int(group.get("count") or 1) for group in groups))


def _parameters(model_config: str) -> dict[str, str]:
    parameters = json.loads(model_config).get("parameters", {})
    return {name: value["string_value"] for name, value in parameters.items()}
