"""A tiny backend that answers the probe, in place of Penchant's own."""

from __future__ import annotations

from pathlib import Path

from penchant.launch.layout import Sources
from penchant_proto import methods

MODEL = """
import json
import os
import signal

import numpy as np
import triton_python_backend_utils as pb_utils

from penchant_proto.v1.service_pb2 import Call, Reply


class TritonPythonModel:
    def initialize(self, args):
        parameters = json.loads(args["model_config"])["parameters"]
        self.settings = {key: value["string_value"] for key, value in parameters.items()}
        if "fail" in self.settings:
            raise pb_utils.TritonModelException("[ConfigError] fail: " + self.settings["fail"])
        if "abort_once" in self.settings:
            try:
                open(self.settings["abort_once"], "x").close()
            except FileExistsError:
                pass
            else:
                os.kill(os.getppid(), signal.SIGABRT)
        print("settings", json.dumps(self.settings), flush=True)

    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        raw = pb_utils.get_input_tensor_by_name(request, "REQUEST").as_numpy()
        field = Call.FromString(raw.reshape(-1)[0]).WhichOneof("method")
        refusals = {
            "feedback": ("[InvalidRequest] events: got 0", pb_utils.TritonError.INVALID_ARG),
            "get_user": ("[UserNotFound] user: __probe__", pb_utils.TritonError.NOT_FOUND),
            self.settings.get("sick"): (
                "[StoreUnavailable] store: full", pb_utils.TritonError.UNAVAILABLE
            ),
        }
        if field in refusals:
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(*refusals[field]))
        reply = Reply()
        getattr(reply, field).SetInParent()
        data = np.array([[reply.SerializeToString()]], dtype=np.object_)
        return pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("REPLY", data)])
"""

CONFIG = """\
backend: "penchant"
max_batch_size: 64
input [ { name: "REQUEST" data_type: TYPE_STRING dims: [ 1 ] } ]
output [ { name: "REPLY" data_type: TYPE_STRING dims: [ 1 ] } ]
instance_group [ { count: 1 kind: KIND_CPU } ]
"""


def write_sources(directory: Path) -> Sources:
    """Writes the stand-in's model and five configurations."""
    model = directory / "sources" / "model.py"
    repository = directory / "sources" / "model_repository"
    for name in sorted({method.model for method in methods.METHODS.values()}):
        (repository / name).mkdir(parents=True)
        (repository / name / "config.pbtxt").write_text(CONFIG)
    model.write_text(MODEL)
    return Sources(model, repository, (Path(methods.__file__).parent,))
