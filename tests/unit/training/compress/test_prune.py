"""A whole pruning of a tiny encoder, and what can be made of its output."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import BPE

from penchant.domain.errors import ConfigError
from penchant.encoder.onnx import OnnxEncoder
from penchant.training.compress.distillation import training_texts
from penchant.training.compress.encoder_comparison import BudgetExceeded, Judge
from penchant.training.compress.prune import PRUNED, Pruned, PruneSettings, prune
from penchant.training.compress.vocabulary import TOKENIZER
from penchant.training.export import export
from penchant.training.finetuning.provenance import Note, read_note
from penchant.training.finetuning.trainable_encoder import encode, read_encoder
from tests.support.tiny_encoders import SPECIAL, write_encoder
from tests.unit.training.compress.conftest import PIECES

TAUGHT = PruneSettings(layers=1, steps=30)
RUINED = PruneSettings(layers=1, steps=5, learning_rate=10.0)
"""Steps so large that nothing is left of what was known."""


@pytest.fixture(scope="module")
def noted(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The encoder with the note of a fine-tuning."""
    directory = tmp_path_factory.mktemp("noted") / "source"
    shutil.copytree(source, directory)
    Note((), {"steps": 3}, {"validation ndcg@10 after": 0.1}).write(directory)
    return directory


@pytest.fixture(scope="module")
def made(noted: Path, judge: Judge, tmp_path_factory: pytest.TempPathFactory) -> Pruned:
    output = tmp_path_factory.mktemp("pruned") / "out"
    return prune(noted, output, judge, TAUGHT, max_loss=0.99)


def test_it_says_what_is_kept_and_so_does_its_note(made: Pruned) -> None:
    assert len(made.kept_layers) == 1
    assert (made.layers, made.tokens) == (3, len(SPECIAL) + len(PIECES))
    assert made.kept_tokens < made.tokens
    assert made.change.after.size_bytes < made.change.before.size_bytes
    note = json.loads((made.directory / PRUNED).read_text())
    assert note["layers"] == 3
    assert note["kept_layers"] == list(made.kept_layers)
    assert note["settings"]["layers"] == 1
    assert note["change"]["loss"] == made.change.loss


def test_the_fine_tunings_note_stays(made: Pruned, noted: Path) -> None:
    assert read_note(made.directory) == read_note(noted)


def test_the_pruned_directory_is_exported_to_the_same_vectors(
    made: Pruned, judge: Judge, tmp_path: Path
) -> None:
    report = export(made.directory, tmp_path / "onnx", dimensions=32, max_tokens=48)
    served = OnnxEncoder.load(report.directory, threads=1).encode(judge.texts)
    np.testing.assert_allclose(served, encode(read_encoder(made.directory), judge.texts), atol=1e-4)


def test_a_pruned_directory_is_pruned_again_and_replaced(
    made: Pruned, judge: Judge, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    shutil.copytree(made.directory, output)
    again = prune(made.directory, output, judge, PruneSettings(layers=1, steps=0), max_loss=0.99)
    assert again.kept_tokens == again.tokens == made.kept_tokens
    assert again.change.cosine_least == pytest.approx(1, abs=1e-5)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_equal_seeds_make_equal_weights(noted: Path, judge: Judge, tmp_path: Path) -> None:
    settings = PruneSettings(layers=2, steps=2, seed=4)
    first, second = (
        prune(noted, tmp_path / name, judge, settings, max_loss=0.99) for name in ("one", "two")
    )
    weights = [(one.directory / "model.safetensors").read_bytes() for one in (first, second)]
    assert weights[0] == weights[1]


def test_tokens_of_more_texts_and_of_prompts_stay(
    source: Path, judge: Judge, tmp_path: Path
) -> None:
    prompted = read_encoder(source)
    prompted.prompts = {"item": "unuseda "}
    prompted.save_pretrained(str(tmp_path / "source"), create_model_card=False)
    settings = PruneSettings(layers=3, steps=0)
    made = prune(tmp_path / "source", tmp_path / "out", judge, settings, ["unusedz"], 0.99)
    state = json.loads((made.directory / TOKENIZER).read_text())
    kept = [token for token in state["model"]["vocab"] if token.startswith("unused")]
    assert kept == ["unuseda", "unusedz"]


def test_past_the_budget_nothing_is_written(noted: Path, judge: Judge, tmp_path: Path) -> None:
    with pytest.raises(BudgetExceeded, match=r"prune: NDCG@10 fell .* expected at most 0\.0%"):
        prune(noted, tmp_path / "out", judge, RUINED, max_loss=0.0)
    assert list(tmp_path.iterdir()) == []


def test_past_the_budget_what_was_there_stays(
    made: Pruned, noted: Path, judge: Judge, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    shutil.copytree(made.directory, output)
    before = {path.name: path.stat().st_mtime_ns for path in output.iterdir()}
    with pytest.raises(BudgetExceeded):
        prune(noted, output, judge, RUINED, max_loss=0.0)
    assert {path.name: path.stat().st_mtime_ns for path in output.iterdir()} == before


@pytest.fixture
def spelling(source: Path, tmp_path: Path) -> Path:
    """The encoder with a tokenizer of byte pairs."""
    directory = tmp_path / "spelling"
    shutil.copytree(source, directory)
    old = json.loads((source / TOKENIZER).read_text())["model"]["vocab"]
    tokenizer = Tokenizer(BPE(old, [], unk_token="[UNK]"))
    tokenizer.save(str(directory / TOKENIZER))
    return directory


def test_byte_pairs_are_refused_before_anything_is_tried_unless_the_vocabulary_is_kept(
    spelling: Path, judge: Judge, tmp_path: Path
) -> None:
    steps: list[str] = []
    with pytest.raises(ConfigError, match=r"kind BPE, .*--keep-vocabulary"):
        prune(spelling, tmp_path / "out", judge, TAUGHT, on_step=steps.append)
    assert steps == ["Reading the encoder"]
    assert not (tmp_path / "out").exists()
    settings = PruneSettings(layers=2, trim_vocabulary=False, steps=0)
    made = prune(spelling, tmp_path / "out", judge, settings, max_loss=0.99)
    assert made.kept_tokens == made.tokens == len(SPECIAL) + len(PIECES)


def test_wrong_arguments_are_refused_and_nothing_is_written(
    source: Path, judge: Judge, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter").write_text("mine")
    for output, most, words in (
        (other, 0.03, "holds something else than a pruned encoder"),
        (tmp_path / "out", -0.1, "max_loss: got -0.1, expected 0 to below 1"),
    ):
        with pytest.raises(ConfigError, match=words):
            prune(source, output, judge, TAUGHT, max_loss=most)
    with pytest.raises(ConfigError, match="layers: got 4, expected 1 to 3"):
        prune(source, tmp_path / "out", judge, PruneSettings(layers=4))
    with pytest.raises(ConfigError, match="layers: got 0, expected 1 or more"):
        PruneSettings(layers=0)
    with pytest.raises(ConfigError, match="steps: got -1, expected 0 or more"):
        PruneSettings(steps=-1)
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_careless_texts_are_taught_with_the_tokens_that_are_left(
    judge: Judge, tmp_path: Path
) -> None:
    texts = [text for text in training_texts(judge.texts, 0) if text not in judge.texts]
    slips = {word for text in texts for word in text.split()} - set(PIECES)
    source = tmp_path / "source"
    source.mkdir()
    write_encoder(source, [*PIECES, *sorted(slips)], layers=1)
    meant = encode(read_encoder(source), texts)
    likeness = []
    for steps in (0, 120):
        settings = PruneSettings(layers=1, steps=steps)
        made = prune(source, tmp_path / str(steps), judge, settings, max_loss=0.99)
        found = encode(read_encoder(made.directory), texts)
        likeness.append(float((meant * found).sum(axis=1).mean()))
    untaught, taught = likeness
    assert untaught < 0.99
    assert 1 - taught < (1 - untaught) / 2
