"""No-op models beside Penchant's: the floor that every call on this server stands on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_CONFIG = """\
name: "{name}"
backend: "python"
max_batch_size: 64
input [{{ name: "REQUEST", data_type: {kind}, dims: [ 1 ] }}]
output [{{ name: "REPLY", data_type: {kind}, dims: [ 1 ] }}]
instance_group [{{ kind: KIND_CPU, count: {instances} }}]
dynamic_batching {{
  max_queue_delay_microseconds: 0
  default_queue_policy {{ max_queue_size: 1024 }}
}}
"""

# Text, not a file: only the backend's entry point imports Triton's module.
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
    """A no-op model: its batching is that of Penchant's models."""

    name: str
    kind: str
    """FP32 or STRING, as in `config.pbtxt`."""
    instances: int

    @property
    def datatype(self) -> str:
        """The tensor's type on the wire."""
        return "BYTES" if self.kind == "TYPE_STRING" else "FP32"


FLOOR = FloorModel("floor", "TYPE_FP32", 1)
"""One process, as the writer has."""
FLOOR_PAIR = FloorModel("floor_pair", "TYPE_FP32", 2)
"""As many processes as `penchant_rank` has."""
FLOOR_BYTES = FloorModel("floor_bytes", "TYPE_STRING", 1)
"""With the tensor type of Penchant's own calls."""

ALL = (FLOOR, FLOOR_PAIR, FLOOR_BYTES)


def write(repository: Path) -> Path:
    """Writes a model repository with all of them; returns its directory."""
    for model in ALL:
        version = repository / model.name / "1"
        version.mkdir(parents=True, exist_ok=True)
        (version / "model.py").write_text(_MODEL, encoding="utf-8")
        text = _CONFIG.format(name=model.name, kind=model.kind, instances=model.instances)
        (repository / model.name / "config.pbtxt").write_text(text, encoding="utf-8")
    return repository
