"""A graph in TensorRT's own terms, before anything is built."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penchant.domain.errors import ConfigError

SHOWN = 3
"""Nodes that an error names."""


@dataclass(frozen=True, slots=True)
class Shape:
    """An input or output."""

    name: str
    type: str
    """As TensorRT calls it: INT64, FLOAT, HALF."""
    dims: tuple[int, ...]
    """-1 where it is not fixed."""


@dataclass(frozen=True, slots=True)
class NetworkReport:
    """What TensorRT read from a graph."""

    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    layers: dict[str, int]
    """How many layers give each type; networks are strongly typed, so engines do the same."""
    products: dict[str, int]
    """The same of matrix products alone, where nearly all the time goes."""


def quiet_logger(trt: Any) -> tuple[Any, list[str]]:
    """A logger that keeps what goes wrong for an error's text, and prints nothing."""
    told: list[str] = []

    class Log(trt.ILogger):  # type: ignore[misc]  # The bindings carry no types.
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, message: str) -> None:
            if severity <= trt.ILogger.Severity.ERROR:
                told.append(message)

    return Log(), told


def parse(trt: Any, builder: Any, logger: Any, graph: Path) -> tuple[Any, Any]:
    """The network of a graph, and the parser, which must outlive it.

    Raises:
        ConfigError: TensorRT can't take the graph; names the nodes.
    """
    flags = 1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    network = builder.create_network(flags)
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(graph)):
        errors = [parser.get_error(number) for number in range(parser.num_errors)]
        told = "; ".join(f"node {error.node_name()!r}: {error.desc()}" for error in errors[:SHOWN])
        more = f"; and {len(errors) - SHOWN} more" if len(errors) > SHOWN else ""
        raise ConfigError(
            f"compile: TensorRT {trt.__version__} can't take {graph}: {told}{more}. Of quantized "
            "graphs it takes those of `penchant quantize --method static` alone"
        )
    return network, parser


def report_of(trt: Any, network: Any) -> NetworkReport:
    """Inputs, outputs, and what its layers compute in."""
    layers = [network.get_layer(number) for number in range(network.num_layers)]
    products = [layer for layer in layers if layer.type == trt.LayerType.MATRIX_MULTIPLY]
    return NetworkReport(
        inputs=tuple(_shape(network.get_input(n)) for n in range(network.num_inputs)),
        outputs=tuple(_shape(network.get_output(n)) for n in range(network.num_outputs)),
        layers=_types(layers),
        products=_types(products),
    )


def _shape(tensor: Any) -> Shape:
    return Shape(tensor.name, tensor.dtype.name, tuple(tensor.shape))


def _types(layers: list[Any]) -> dict[str, int]:
    return dict(Counter(layer.get_output_type(0).name for layer in layers))
