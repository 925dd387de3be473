"""An export merges a LoRA adapter into its base, or says why it can't."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from peft import LoraConfig, PeftModel, PromptTuningConfig, get_peft_model
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling
from transformers import AutoModel, AutoTokenizer

from penchant.domain.errors import ConfigError
from penchant.encoder.onnx import OnnxEncoder
from penchant.training.pytorch_encoder import embed, read_source
from tests.support.exporting import export
from tests.support.tiny_encoders import write_encoder

# Raised by the PEFT models of these tests; for the export's own see the last test.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
HIDDEN = 16
LETTERS = [chr(97 + n) for n in range(26)]
TEXTS = [" ".join(LETTERS[n * k % 26] for k in range(1, 2 + n % 9)) for n in range(20)]


def write_base(directory: Path, kind: str = "bert") -> Path:
    directory.mkdir()
    return write_encoder(
        directory, LETTERS, kind=kind, hidden=HIDDEN, layers=1, initializer_range=0.5
    )


def write_adapter(base: Path, directory: Path, **options: object) -> Path:
    """Writes an adapter with large weights, as PEFT saves it."""
    body = AutoModel.from_pretrained(base, local_files_only=True)
    torch.manual_seed(1)
    settings = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear"}
    model = get_peft_model(body, LoraConfig(**{**settings, **options}))  # type: ignore[arg-type]
    for weight in model.parameters():
        if weight.requires_grad:
            weight.data += 0.3 * torch.randn(weight.shape)
    model.save_pretrained(str(directory))
    return directory


def edit(adapter: Path, **changes: object) -> None:
    path = adapter / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write_base(tmp_path / "base")


def computed(base: Path, adapter: Path | None, last_token: bool = False) -> NDArray[np.float32]:
    """Mean or last token vectors by PEFT's own forward pass, unmerged."""
    body = AutoModel.from_pretrained(base, local_files_only=True)
    model = body if adapter is None else PeftModel.from_pretrained(body, str(adapter))
    model.eval()
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    rows = []
    for text in TEXTS:
        ids = torch.tensor([tokenizer(text)["input_ids"]])
        with torch.inference_mode():
            states = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0]
        rows.append(states[-1] if last_token else states.mean(dim=0))
    return np.asarray(torch.nn.functional.normalize(torch.stack(rows), dim=-1))


def read(source: Path) -> NDArray[np.float32]:
    """The vectors an export is compared with; the export itself would take seconds."""
    model, texts, _ = read_source(source, HIDDEN, "truncate", 32)
    vectors = embed(model, texts, TEXTS)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def exported(source: Path, output: Path) -> NDArray[np.float32]:
    report = export(source, output, dimensions=HIDDEN, max_tokens=32)
    assert report.max_difference <= 1e-4
    return OnnxEncoder.load(output, threads=1).encode(TEXTS)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("bert", {}), ("bert", {"use_dora": True}), ("roberta", {"bias": "lora_only"}), ("gpt2", {})],
)
def test_the_merged_export_equals_peft(
    tmp_path: Path, kind: str, options: dict[str, object]
) -> None:
    base = write_base(tmp_path / "base", kind)
    if kind == "gpt2":
        options = {"target_modules": ["c_attn"], "fan_in_fan_out": True}
    adapter = write_adapter(base, tmp_path / "adapter", **options)
    vectors = exported(adapter, tmp_path / "out")
    last_token = kind == "gpt2"
    expected = computed(base, adapter, last_token)
    np.testing.assert_allclose(vectors, expected, atol=1e-4)
    plain = computed(base, None, last_token)
    assert np.abs(vectors - plain).max() > 0.05, "the adapter does nothing: the test is void"


def test_an_adapter_in_the_layout_of_sentence_transformers_keeps_its_modules(
    base: Path, tmp_path: Path
) -> None:
    model = SentenceTransformer(str(base), local_files_only=True, device="cpu")
    config = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False)
    model.add_adapter(config)
    pooling = model.get_submodule("1")
    assert isinstance(pooling, Pooling)
    pooling.pooling_mode = "cls"
    model.eval().save_pretrained(str(tmp_path / "tuned"))
    assert not (tmp_path / "tuned" / "config.json").exists()
    expected = model.encode(TEXTS, normalize_embeddings=True)
    np.testing.assert_allclose(exported(tmp_path / "tuned", tmp_path / "out"), expected, atol=1e-4)


def test_a_base_may_lie_beside_the_adapter_in_one_directory(base: Path, tmp_path: Path) -> None:
    whole = shutil.copytree(base, tmp_path / "whole")
    write_adapter(base, whole)
    expected = computed(base, whole)
    shutil.rmtree(base)
    np.testing.assert_allclose(read(whole), expected, atol=1e-4)


def test_a_base_may_be_named_relative_to_the_adapter(base: Path, tmp_path: Path) -> None:
    adapter = write_adapter(base, tmp_path / "adapter")
    edit(adapter, base_model_name_or_path="../base")
    np.testing.assert_allclose(read(adapter), computed(base, adapter), atol=1e-4)


def test_modules_of_the_base_are_used_where_the_adapter_has_none(
    base: Path, tmp_path: Path
) -> None:
    (base / "Pooling").mkdir()
    (base / "Pooling" / "config.json").write_text('{"pooling_mode": "max"}')
    rows = [{"path": "", "type": "Transformer"}, {"path": "Pooling", "type": "Pooling"}]
    (base / "modules.json").write_text(json.dumps(rows))
    adapter = write_adapter(base, tmp_path / "adapter")
    _, _, settings = read_source(adapter, 4, "truncate", 16)
    assert settings.pooling == "max"


@pytest.mark.parametrize("name", ["someone/encoder", "", None, "/nowhere/at/all"])
def test_an_adapter_without_its_base_is_refused_by_name(
    base: Path, tmp_path: Path, name: str | None
) -> None:
    adapter = write_adapter(base, tmp_path / "adapter")
    edit(adapter, base_model_name_or_path=name)
    message = f"without its base model '{name or ''}': .* set base_model_name_or_path in .*adapter"
    with pytest.raises(ConfigError, match=message):
        export(adapter, tmp_path / "out", dimensions=4, max_tokens=16)
    assert not (tmp_path / "out").exists()


def test_an_adapter_of_another_kind_is_refused(base: Path, tmp_path: Path) -> None:
    body = AutoModel.from_pretrained(base, local_files_only=True)
    config = PromptTuningConfig(num_virtual_tokens=2, task_type="FEATURE_EXTRACTION")
    get_peft_model(body, config).save_pretrained(str(tmp_path / "adapter"))
    with pytest.raises(ConfigError, match="peft_type: got 'PROMPT_TUNING', expected 'LORA'"):
        export(tmp_path / "adapter", tmp_path / "out", dimensions=4, max_tokens=16)


def test_a_base_with_an_adapter_of_its_own_is_refused(base: Path, tmp_path: Path) -> None:
    adapter = write_adapter(base, tmp_path / "adapter")
    write_adapter(base, base)
    with pytest.raises(ConfigError, match="has an adapter of its own, expected none"):
        export(adapter, tmp_path / "out", dimensions=4, max_tokens=16)


def test_an_adapter_whose_weights_have_no_place_is_refused(base: Path, tmp_path: Path) -> None:
    adapter = write_adapter(base, tmp_path / "adapter")
    path = adapter / "adapter_model.safetensors"
    moved = {
        name.replace("base_model.model.", "base_model.model.bert."): tensor
        for name, tensor in load_file(path).items()
    }
    save_file(moved, path)
    with pytest.raises(ConfigError, match=r"does not fit BertModel: \d+ weights are missing"):
        export(adapter, tmp_path / "out", dimensions=4, max_tokens=16)


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        ({"r": 3}, "does not fit BertModel: .*size mismatch"),
        ({"target_modules": ["elsewhere"]}, "does not fit BertModel: .*elsewhere"),
        ({"peft_type": None}, "peft_type: got None"),
    ],
)
def test_an_adapter_that_does_not_fit_is_refused(
    base: Path, tmp_path: Path, break_it: dict[str, object], message: str
) -> None:
    adapter = write_adapter(base, tmp_path / "adapter")
    edit(adapter, **break_it)
    with pytest.raises(ConfigError, match=f"(?s){message}"):
        export(adapter, tmp_path / "out", dimensions=4, max_tokens=16)


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("adapter_config.json", "{", r"adapter_config\.json can't be read"),
        ("adapter_config.json", "[]", r"adapter_config\.json can't be read"),
        ("adapter_model.safetensors", None, r"but no adapter_model\.safetensors"),
        ("adapter_model.safetensors", "?", "does not fit BertModel"),
    ],
)
def test_a_broken_adapter_is_refused(
    base: Path, tmp_path: Path, file: str, text: str | None, message: str
) -> None:
    adapter = write_adapter(base, tmp_path / "adapter")
    (adapter / file).unlink()
    if text is not None:
        (adapter / file).write_text(text)
    with pytest.raises(ConfigError, match=message):
        export(adapter, tmp_path / "out", dimensions=4, max_tokens=16)


def test_reading_an_adapter_raises_no_warning(base: Path, tmp_path: Path) -> None:
    adapter = write_adapter(base, tmp_path / "adapter")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_source(adapter, 4, "truncate", 16)
