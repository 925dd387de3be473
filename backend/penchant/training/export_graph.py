"""Writes an encoder in PyTorch as an ONNX graph."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, cast

import onnx
import torch

from penchant.domain.errors import ConfigError
from penchant.encoder.bundle import INPUTS, OUTPUT
from penchant.training.pytorch_encoder import SentenceEncoder

OPSET = 18


class _Annotated(Protocol):
    metadata_props: dict[str, str]


def write_graph(model: SentenceEncoder, path: Path) -> None:
    """Writes the graph of an encoder; the same model gives the same bytes on any machine.

    The graph maps token ids and mask, int64, shape (batch, tokens), to unit vectors, float32, shape
    (batch, d).

    Raises:
        ConfigError: torch.onnx can't export this model.
    """
    ids = torch.ones((3, 5), dtype=torch.int64)
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens")}
    mask = torch.tensor([[1] * size + [0] * (5 - size) for size in (5, 4, 2)])
    try:
        with _quiet_exporter():
            program = torch.onnx.export(
                model,
                (ids, mask),
                input_names=INPUTS,
                output_names=["unit_vectors"],
                dynamic_shapes=[axes, axes],
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        raise ConfigError("source: this model can't be exported by torch.onnx") from error
    assert program is not None
    graph = program.model.graph
    # Not reproducible: paths of this machine's Python files, and its build of PyTorch.
    program.model.producer_version = None
    holders = (program.model, graph, *graph.inputs, *graph.initializers.values())
    for holder in cast(tuple[_Annotated, ...], holders):
        holder.metadata_props.clear()
    for node in graph:
        node.metadata_props.clear()
        for value in node.outputs:
            value.metadata_props.clear()
            if value.name == OUTPUT:  # The exporter's name for the look-up of token vectors.
                value.name = "token_vectors"
    graph.outputs[0].name = OUTPUT
    program.save(path)
    onnx.checker.check_model(str(path), full_check=True)


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Hides messages of the exporter that a user can do nothing about."""
    logger = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # PyTorch 2.13 uses a deprecated call of its own, and notes that both inputs share axes.
            warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)`", FutureWarning)
            warnings.filterwarnings("ignore", r"# The axis name: \w+ will not be used", UserWarning)
            yield
    finally:
        logger.setLevel(level)
