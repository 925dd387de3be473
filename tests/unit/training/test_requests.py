"""Each training job has a request that is cheap to import, and whose fields are its options."""

from __future__ import annotations

import importlib
import subprocess
import sys
from typing import Any

import pytest

from penchant.cli.main import make_app

REQUESTS = {
    "pretrain": "pretrain:PretrainRequest",
    "finetune": "finetuning.finetune:FinetuneRequest",
    "export": "export:ExportRequest",
    "prune": "compress.prune:PruneRequest",
    "quantize": "compress.quantize:QuantizeRequest",
    "compile": "compilation.compile:CompileRequest",
    "home-data": "home.home_data:HomeDataRequest",
    "home-encoder": "home.home_encoder:HomeEncoderRequest",
}


def test_importing_the_requests_and_commands_loads_nothing_heavy() -> None:
    modules = [f"penchant.training.{target.partition(':')[0]}" for target in REQUESTS.values()]
    modules += [f"penchant.cli.{name.replace('-', '_')}" for name in REQUESTS]
    program = f"import sys; import {', '.join(modules)}; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    heavy = {"torch", "transformers", "sentence_transformers", "onnx", "onnxruntime", "peft"}
    assert heavy & set(run.stdout.split()) == set()


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_frozen_and_each_of_its_options_has_help(name: str) -> None:
    module, _, attribute = REQUESTS[name].partition(":")
    request: Any = getattr(importlib.import_module(f"penchant.training.{module}"), attribute)
    assert request.__dataclass_params__.frozen
    options = (
        make_app(name)[name]
        .assemble_argument_collection(parse_docstring=True)
        .filter_by(parse=True)
    )
    silent = [one.name for one in options if not one.children and not one.parameter.help]
    assert silent == []
    assert len(options) > 1
