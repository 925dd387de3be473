"""A graph as TensorRT reads it, before anything is built."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penchant.domain.errors import ConfigError

SHOWN = 3
"""Number of nodes that an error names."""


@dataclass(frozen=True, slots=True)
class TensorShape:
    """An input or output of a network."""

    name: str
    type: str
    """TensorRT's name of the type: INT64, FLOAT or HALF."""
    dims: tuple[int, ...]
    """Sizes; -1 for a variable one."""


@dataclass(frozen=True, slots=True)
class NetworkReport:
    """The inputs, outputs and types of a network."""

    inputs: tuple[TensorShape, ...]
    outputs: tuple[TensorShape, ...]
    layers: dict[str, int]
    """Number of layers by output type; strongly typed, so an engine has the same."""
    products: dict[str, int]
    """Number of matrix products, which take nearly all the time, by output type."""


def quiet_logger(trt: Any) -> tuple[Any, list[str]]:
    """A logger that prints nothing, and the list it collects error messages in."""
    errors: list[str] = []

    class Log(trt.ILogger):  # type: ignore[misc]  # The bindings carry no types.
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, message: str) -> None:
            if severity <= trt.ILogger.Severity.ERROR:
                errors.append(message)

    return Log(), errors


def parse(trt: Any, builder: Any, logger: Any, graph: Path) -> tuple[Any, Any]:
    """Parses a graph.

    Returns:
        The network, and the parser, which must outlive it.

    Raises:
        ConfigError: TensorRT can't take the graph; the message names nodes.
    """
    flags = 1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    network = builder.create_network(flags)
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(graph)):
        errors = [parser.get_error(number) for number in range(parser.num_errors)]
        shown = "; ".join(f"node {error.node_name()!r}: {error.desc()}" for error in errors[:SHOWN])
        more = f"; and {len(errors) - SHOWN} more" if len(errors) > SHOWN else ""
        raise ConfigError(
            f"compile: TensorRT {trt.__version__} can't take {graph}: {shown}{more}. Of quantized "
            "graphs it takes only those of `penchant quantize --method static`"
        )
    return network, parser


def report_of(trt: Any, network: Any) -> NetworkReport:
    """Summarizes a network."""
    layers = [network.get_layer(number) for number in range(network.num_layers)]
    products = [layer for layer in layers if layer.type == trt.LayerType.MATRIX_MULTIPLY]
    return NetworkReport(
        inputs=tuple(_shape(network.get_input(n)) for n in range(network.num_inputs)),
        outputs=tuple(_shape(network.get_output(n)) for n in range(network.num_outputs)),
        layers=_types(layers),
        products=_types(products),
    )


def _shape(tensor: Any) -> TensorShape:
    return TensorShape(tensor.name, tensor.dtype.name, tuple(tensor.shape))


def _types(layers: list[Any]) -> dict[str, int]:
    return dict(Counter(layer.get_output_type(0).name for layer in layers))
