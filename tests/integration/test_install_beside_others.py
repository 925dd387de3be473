"""What `penchant install` prints starts a Triton in which other people's models work as before."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from tritonclient import grpc as triton_grpc
from tritonclient.utils import InferenceServerException

from penchant.launch import probe, processes
from penchant.launch.layout import write_python_backend
from penchant.launch.native_wheel import installed_module
from penchant.launch.ports import FREE, LOOPBACK, Ports, choose
from penchant.launch.triton_arguments import listening
from penchant.launch.tritonserver import environment_for, find_triton
from tests.support.command import run
from tests.support.word_encoder import write_word_encoder

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("foreign_clients_direct")]

START_S = 120.0

FOREIGN = """
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(config):
        config.add_input({"name": "IN", "data_type": "TYPE_INT32", "dims": [1]})
        config.add_output({"name": "OUT", "data_type": "TYPE_INT32", "dims": [1]})
        config.set_max_batch_size(0)
        return config

    def execute(self, requests):
        answers = []
        for request in requests:
            number = pb_utils.get_input_tensor_by_name(request, "IN").as_numpy()
            answers.append(pb_utils.InferenceResponse([pb_utils.Tensor("OUT", number + 1)]))
        return answers
"""


@contextmanager
def running(command: str, directory: Path) -> Iterator[Ports]:
    """The printed command in a shell, with free ports, until every model of Penchant answers."""
    triton, ports = find_triton(), choose(FREE)
    environment = environment_for(triton)
    environment["PATH"] = f"{triton.binary.parent}:{environment['PATH']}"
    (directory / "empty").mkdir()
    with (directory / "triton.log").open("wb") as log:
        process = subprocess.Popen(
            ["bash", "-c", " ".join([command, *listening(LOOPBACK, ports)])],
            cwd=directory / "empty",
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
    try:
        deadline = time.monotonic() + START_S
        while not all(result.alive for result in probe.ask(f"127.0.0.1:{ports.grpc}")):
            text = (directory / "triton.log").read_text()
            assert process.poll() is None, text
            assert time.monotonic() < deadline, text
            time.sleep(0.1)
        yield ports
    finally:
        processes.kill_group(process.pid)
        process.wait()


@pytest.fixture
def printed(tmp_path: Path) -> str:
    """The command that `penchant install` prints, for a Triton with a model of somebody else."""
    backends, models = tmp_path / "backends", tmp_path / "models"
    write_python_backend(backends, find_triton())
    (models / "foreign" / "1").mkdir(parents=True)
    (models / "foreign" / "config.pbtxt").write_text('backend: "python"\n')
    (models / "foreign" / "1" / "model.py").write_text(FOREIGN)
    encoder = write_word_encoder(tmp_path / "encoder", ["red"], dimensions=4, seed=1)
    result = run(
        [
            "install",
            *("--backends", backends, "--models", models),
            *("--store", f"lmdb:{tmp_path / 'store'}", "--encoder", encoder),
        ]
    )
    assert result.exit_code == 0, result.output
    found = re.search(r"^Start Triton with\n((?:  .*\n)+)", result.output, re.MULTILINE)
    assert found is not None
    return found[1].rstrip("\n")


def test_the_printed_command_serves_both_and_closes_the_side_doors(
    printed: str, tmp_path: Path
) -> None:
    with (
        running(printed, tmp_path) as ports,
        triton_grpc.InferenceServerClient(f"127.0.0.1:{ports.grpc}") as client,
    ):
        given = triton_grpc.InferInput("IN", [1], "INT32")
        given.set_data_from_numpy(np.array([41], dtype=np.int32))
        answer = client.infer("foreign", [given]).as_numpy("OUT")
        assert answer is not None
        assert answer.tolist() == [42]
        with pytest.raises(InferenceServerException, match="restricted"):
            client.get_system_shared_memory_status()
    # The stub's Python is this one: its models import the module that was laid beside them, if any.
    laid = (tmp_path / "backends" / "penchant" / "penchant_native").is_dir()
    path = "native: penchant_native" if laid else "NumPy: penchant_native: not installed"
    log = (tmp_path / "triton.log").read_text()
    assert laid == (installed_module() is not None)
    for model in ("penchant_rank", "penchant_feedback"):
        assert f"{model} runs by {path}" in log


def test_penchants_models_are_complete_without_triton_completing_them(
    printed: str, tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "models" / "foreign")
    with running(f"{printed} --disable-auto-complete-config", tmp_path) as ports:
        results = probe.ask(f"127.0.0.1:{ports.grpc}", timeout_s=30.0)
        assert all(result.alive for result in results), results
