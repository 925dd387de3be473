"""The part of Triton's `pb_utils` that the adapter uses, as plain objects that record calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from penchant_proto.methods import REPLY_TENSOR, REQUEST_TENSOR
from penchant_proto.v1.service_pb2 import Call, Reply

TRITONSERVER_RESPONSE_COMPLETE_FINAL = 1


class TritonModelException(Exception):
    pass


class TritonError:
    (
        UNKNOWN,
        INTERNAL,
        NOT_FOUND,
        INVALID_ARG,
        UNAVAILABLE,
        UNSUPPORTED,
        ALREADY_EXISTS,
        CANCELLED,
    ) = range(8)

    def __init__(self, text: str, code: int) -> None:
        self.text = text
        self.code = code

    def message(self) -> str:
        return self.text


class Sent:
    def __init__(self, name: str, array: NDArray[Any]) -> None:
        self.name = name
        self.array = array

    def as_numpy(self) -> NDArray[Any]:
        return self.array


class Response:
    def __init__(self, tensors: Sequence[Sent], error: TritonError | None = None) -> None:
        self.tensors = list(tensors)
        self.failure = error

    def has_error(self) -> bool:
        return self.failure is not None

    def error(self) -> TritonError:
        assert self.failure is not None
        return self.failure

    def reply(self) -> Reply:
        (tensor,) = self.tensors
        assert (tensor.name, tensor.array.shape) == (REPLY_TENSOR, (1, 1))
        return Reply.FromString(tensor.array.item())


class Sender:
    """Receives the response to a deferred request."""

    def __init__(self) -> None:
        self.sent: list[tuple[Response, int]] = []
        self.gone = False
        self.cancelled = False

    def is_cancelled(self) -> bool:
        return self.cancelled

    def send(self, response: Response, flags: int) -> None:
        if self.gone:
            raise TritonModelException("the caller is gone")
        self.sent.append((response, flags))


class Request:
    def __init__(
        self,
        payload: bytes,
        shape: tuple[int, ...] = (1, 1),
        id_: str = "",
        parameters: str = "{}",
    ) -> None:
        self._id = id_
        self._parameters = parameters
        self.array = np.full(shape, None, np.object_)
        self.array[...] = payload
        self.sender = Sender()

    def is_cancelled(self) -> bool:
        return False

    def request_id(self) -> str:
        return self._id

    def parameters(self) -> str:
        return self._parameters

    def get_response_sender(self) -> Sender:
        return self.sender


class Metric:
    def __init__(self) -> None:
        self.value = 0.0

    def increment(self, by: float) -> None:
        assert by >= 0
        self.value += by

    def set(self, value: float) -> None:
        self.value = value


class MetricFamily:
    COUNTER = "counter"
    GAUGE = "gauge"

    def __init__(self, pb_utils: FakePbUtils, name: str, description: str, kind: str) -> None:
        assert description
        assert kind in (self.COUNTER, self.GAUGE)
        assert name not in pb_utils.families
        # Triton shows a metric for as long as its object lives.
        self.metrics: WeakValueDictionary[tuple[tuple[str, str], ...], Metric] = (
            WeakValueDictionary()
        )
        pb_utils.families[name] = self

    def Metric(self, labels: dict[str, str]) -> Metric:  # noqa: N802
        key = tuple(sorted(labels.items()))
        assert key not in self.metrics
        metric = self.metrics[key] = Metric()
        return metric


class FakePbUtils:
    """One server: its metrics, and the model that answers calls inside the server."""

    TRITONSERVER_RESPONSE_COMPLETE_FINAL = TRITONSERVER_RESPONSE_COMPLETE_FINAL
    TritonModelException = TritonModelException
    TritonError = TritonError
    InferenceResponse = Response
    Tensor = Sent

    def __init__(self) -> None:
        self.families: dict[str, MetricFamily] = {}
        self.inner_calls: list[tuple[str, Call]] = []
        self.inner_response: Response | Exception = TritonModelException("no such model")

    def get_input_tensor_by_name(self, request: Request, name: str) -> Sent | None:
        return Sent(name, request.array) if name == REQUEST_TENSOR else None

    def get_output_tensor_by_name(self, response: Response, name: str) -> Sent:
        return next(tensor for tensor in response.tensors if tensor.name == name)

    @property
    def MetricFamily(self) -> Any:  # noqa: N802
        def family(name: str, description: str, kind: str) -> MetricFamily:
            return MetricFamily(self, name, description, kind)

        family.COUNTER = MetricFamily.COUNTER  # type: ignore[attr-defined]
        family.GAUGE = MetricFamily.GAUGE  # type: ignore[attr-defined]
        return family

    def InferenceRequest(  # noqa: N802
        self, model_name: str, requested_output_names: list[str], inputs: list[Sent]
    ) -> _InnerRequest:
        assert requested_output_names == [REPLY_TENSOR]
        (tensor,) = inputs
        assert (tensor.name, tensor.array.shape) == (REQUEST_TENSOR, (1, 1))
        self.inner_calls.append((model_name, Call.FromString(tensor.array.item())))
        return _InnerRequest(self)

    def value(self, name: str, **labels: str) -> float:
        """The value of a counter, summed over all models."""
        metrics = dict(self.families[name].metrics) if name in self.families else {}
        return sum(
            metric.value for key, metric in metrics.items() if set(labels.items()) <= set(key)
        )


class _InnerRequest:
    def __init__(self, pb_utils: FakePbUtils) -> None:
        self._pb_utils = pb_utils

    def exec(self) -> Response:
        if isinstance(self._pb_utils.inner_response, Exception):
            raise self._pb_utils.inner_response
        return self._pb_utils.inner_response
