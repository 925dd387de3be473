"""The encoder in PyTorch to the file of its ONNX graph."""

from __future__ import annotations

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
    """Writes the graph, from ids and mask, shape (batch, tokens), to unit vectors, (batch, d).

    The same model gives the same bytes on any machine.

    Raises:
        ConfigError: torch.onnx can't export this model.
    """
    ids = torch.ones((3, 5), dtype=torch.int64)
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens")}
    mask = torch.tensor([[1] * size + [0] * (5 - size) for size in (5, 4, 2)])
    try:
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
    # Names and paths of this machine's Python files, and its build of PyTorch: not reproducible.
    program.model.producer_version = None
    holders = (program.model, graph, *graph.inputs, *graph.initializers.values())
    for holder in cast(tuple[_Annotated, ...], holders):
        holder.metadata_props.clear()
    for node in graph:
        node.metadata_props.clear()
        for value in node.outputs:
            value.metadata_props.clear()
            if value.name == OUTPUT:  # so the exporter names the look-up of token vectors
                value.name = "token_vectors"
    graph.outputs[0].name = OUTPUT
    program.save(path)
    onnx.checker.check_model(str(path), full_check=True)
