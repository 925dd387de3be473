"""The home's encoder as it comes with Penchant: small, whole, and mergeable into its base."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from penchant.encoder.source import default_source
from penchant.training.home.home_adapter import ADAPTER, digest, source
from penchant.training.lora_adapter import base_of


def test_it_is_small_enough_to_live_in_the_repository() -> None:
    assert sum(path.stat().st_size for path in ADAPTER.rglob("*") if path.is_file()) < 1_000_000


def test_its_copy_names_the_base_of_this_machine(tmp_path: Path) -> None:
    directory = source(tmp_path / "source")
    assert base_of(directory) == default_source()
    assert (
        json.loads((ADAPTER / "adapter_config.json").read_text())["base_model_name_or_path"] == ""
    )
    assert len(digest()) == 8


def test_every_addition_is_finite_and_of_the_rank_that_is_written() -> None:
    config = json.loads((ADAPTER / "adapter_config.json").read_text())
    additions = load_file(ADAPTER / "adapter_model.safetensors")
    assert len(additions) == 2 * len(config["target_modules"])
    for name, values in additions.items():
        assert np.isfinite(values.astype(np.float32)).all()
        assert values.shape[0 if "lora_A" in name else 1] == config["r"]
