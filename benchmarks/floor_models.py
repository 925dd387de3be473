"""No-op models served beside Penchant's: the lowest latency that any Python model could reach."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from penchant.launch.layout import find_sources
from penchant_proto.methods import METHODS

# A string instead of a file, because only the backend's entry point may import Triton's module.
_MODEL = """\
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            values = pb_utils.get_input_tensor_by_name(request, "REQUEST").as_numpy()
            responses.append(pb_utils.InferenceResponse([pb_utils.Tensor("REPLY", values)]))
        return responses
"""


@dataclass(frozen=True, slots=True)
class FloorModel:
    """A no-op model with the processes and batching of one of Penchant's models."""

    name: str
    like: str
    """Name of Penchant's model."""
    datatype: str = "FP32"
    """Data type of the tensor on the wire: FP32 or BYTES."""


FLOOR_RANK = FloorModel("floor_rank", METHODS["rank"].model)
FLOOR_FEEDBACK = FloorModel("floor_feedback", METHODS["feedback"].model)
FLOOR_BYTES = FloorModel("floor_bytes", METHODS["rank"].model, "BYTES")
"""A floor with the tensor type of Penchant's own calls."""

ALL = (FLOOR_RANK, FLOOR_FEEDBACK, FLOOR_BYTES)


def write(repository: Path) -> Path:
    """Writes a model repository with all floor models and returns its directory."""
    for model in ALL:
        version = repository / model.name / "1"
        version.mkdir(parents=True, exist_ok=True)
        (version / "model.py").write_text(_MODEL, encoding="utf-8")
        (repository / model.name / "config.pbtxt").write_text(config(model), encoding="utf-8")
    return repository


def config(model: FloorModel) -> str:
    """The configuration of Penchant's model with another name, backend and tensor type."""
    text = (find_sources().repository / model.like / "config.pbtxt").read_text(encoding="utf-8")
    text = text.replace(f'name: "{model.like}"', f'name: "{model.name}"')
    text = text.replace('backend: "penchant"', 'backend: "python"')
    return text if model.datatype == "BYTES" else text.replace("TYPE_STRING", "TYPE_FP32")
