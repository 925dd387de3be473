"""The home's encoder as it comes with Penchant: small, whole, and mergeable into its base."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from safetensors.torch import load_file as torch_file
from safetensors.torch import save_file as save_tensors
from sentence_transformers import SentenceTransformer

from penchant.domain.errors import ConfigError
from penchant.encoder.source import default_source
from penchant.training.finetuning.finetune_settings import FinetuneSettings
from penchant.training.finetuning.trainable_encoder import (
    add_head,
    choose_weights,
    encode,
    read_encoder,
)
from penchant.training.home.home_adapter import (
    ADAPTER,
    adapter_digest,
    extract_adapter,
    write_source,
)
from penchant.training.home.merged_additions import merged_additions
from penchant.training.lora_adapter import base_of
from penchant.training.pytorch_encoder import embed, read_source

TEXTS = ["turn on the light", "it is too dark in here", "open the blinds"]


def test_it_is_small_enough_to_live_in_the_repository() -> None:
    assert sum(path.stat().st_size for path in ADAPTER.rglob("*") if path.is_file()) < 1_000_000


def test_its_copy_names_the_base_of_this_machine(tmp_path: Path) -> None:
    directory = write_source(tmp_path / "source")
    assert base_of(directory) == default_source()
    assert (
        json.loads((ADAPTER / "adapter_config.json").read_text())["base_model_name_or_path"] == ""
    )
    assert len(adapter_digest()) == 8


def test_every_addition_is_finite_and_of_the_noted_rank() -> None:
    config = json.loads((ADAPTER / "adapter_config.json").read_text())
    additions = load_file(ADAPTER / "adapter_model.safetensors")
    assert len(additions) == 2 * len(config["target_modules"])
    for name, values in additions.items():
        assert np.isfinite(values.astype(np.float32)).all()
        assert values.shape[0 if "lora_A" in name else 1] == config["r"]


@pytest.fixture(scope="module")
def adapted() -> SentenceTransformer:
    """MiniLM with a projection and low-rank additions, as during a fine-tuning."""
    model = read_encoder(default_source())
    add_head(model, 64, np.random.default_rng(0).normal(size=(500, 384)).astype(np.float32))
    choose_weights(model, FinetuneSettings(method="lora", lora_rank=8, frozen_layers=3))
    torch.manual_seed(0)
    for name, weight in model.named_parameters():
        if weight.requires_grad and "lora_" in name:
            weight.data = 0.05 * torch.randn(weight.shape).half().float()
    return model.eval()


@pytest.fixture
def checkpoint(adapted: SentenceTransformer, tmp_path: Path) -> Path:
    """A checkpoint of that fine-tuning."""
    directory = tmp_path / "checkpoint-30"
    directory.mkdir()
    state = adapted.state_dict()
    trained = [name for name, weight in adapted.named_parameters() if weight.requires_grad]
    weights = {name: state[name].contiguous() for name in trained}
    save_tensors(weights, directory / "trained.safetensors")
    return directory


def test_an_extracted_adapter_gives_the_vectors_of_its_checkpoint(
    checkpoint: Path, adapted: SentenceTransformer, tmp_path: Path
) -> None:
    extract_adapter(checkpoint, tmp_path / "adapter")
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    shipped = json.loads((ADAPTER / "adapter_config.json").read_text())
    assert config == shipped
    config["base_model_name_or_path"] = str(default_source())
    (tmp_path / "adapter" / "adapter_config.json").write_text(json.dumps(config))
    model, tokenizer, _ = read_source(tmp_path / "adapter", 64, "truncate", 128)
    vectors = embed(model, tokenizer, TEXTS)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors, encode(adapted, TEXTS), atol=1e-4)


def test_additions_are_taken_out_of_what_they_were_merged_into(
    adapted: SentenceTransformer,
) -> None:
    state = adapted.state_dict()
    base = torch_file(default_source() / "model.safetensors")
    additions = {
        name.replace("0.model.", "").replace(".default.weight", ""): weight
        for name, weight in state.items()
        if ".lora_" in name
    }
    trained = {
        name.removesuffix(".lora_B")
        for name, weight in additions.items()
        if name.startswith("encoder.") and name.endswith(".lora_B") and weight.any()
    }
    tuned = dict(base)
    for name in trained:
        low, high = additions[f"{name}.lora_A"], additions[f"{name}.lora_B"]
        tuned[f"{name}.weight"] = base[f"{name}.weight"] + 2 * high @ low
    found = merged_additions(tuned, base, 2)
    assert len(found) == 2 * len(trained)
    for name in {name.rpartition(".lora_")[0] for name in found}:
        low, high = found[f"{name}.lora_A.weight"], found[f"{name}.lora_B.weight"]
        assert low.shape[0] == 8
        known = name.removeprefix("base_model.model.")
        wanted = additions[f"{known}.lora_B"] @ additions[f"{known}.lora_A"]
        torch.testing.assert_close(high @ low, wanted, atol=1e-5, rtol=1e-3)


def test_a_directory_that_is_no_training_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a checkpoint or a fine-tuned encoder"):
        extract_adapter(tmp_path, tmp_path / "adapter")


def test_a_checkpoint_of_another_training_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    weights = load_file(checkpoint / "trained.safetensors")
    head = {name: values for name, values in weights.items() if name.startswith("penchant_head")}
    save_file(head, checkpoint / "trained.safetensors")
    with pytest.raises(ConfigError, match="no low-rank additions"):
        extract_adapter(checkpoint, tmp_path / "adapter")
    short = {name: np.ascontiguousarray(values[:8]) for name, values in head.items()}
    save_file(short, checkpoint / "trained.safetensors")
    with pytest.raises(ConfigError, match=r"no projection of the shape \(64, 384\)"):
        extract_adapter(checkpoint, tmp_path / "adapter")
    assert not (tmp_path / "adapter").exists()
