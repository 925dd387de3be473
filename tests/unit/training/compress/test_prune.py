"""A whole pruning of a tiny encoder, and later jobs on its output."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import BPE

from penchant.domain.errors import ConfigError
from penchant.encoder.onnx import OnnxEncoder
from penchant.training.compress.distillation import training_texts
from penchant.training.compress.encoder_comparison import LossBudgetExceeded
from penchant.training.compress.prune import (
    PRUNE_NOTE,
    PruneReport,
    PruneRequest,
    PruneSettings,
    prune,
)
from penchant.training.compress.vocabulary import TOKENIZER
from penchant.training.finetuning.provenance import FinetuneNote, read_note
from penchant.training.finetuning.trainable_encoder import encode, read_encoder
from penchant.training.validation_rankings import ValidationRankings
from tests.support.exporting import export
from tests.support.tiny_encoders import SPECIAL, write_encoder
from tests.unit.training.compress.conftest import PIECES

TAUGHT = PruneSettings(layers=1, steps=30)
RUINED = PruneSettings(layers=1, steps=5, learning_rate=10.0)
"""Steps so large that the encoder forgets everything."""


def pruned(
    source: Path,
    output: Path,
    rankings: ValidationRankings,
    settings: PruneSettings,
    max_loss: float = 0.03,
    texts: Sequence[str] | None = None,
) -> PruneReport:
    request = PruneRequest(
        source=source,
        output=output,
        settings=settings,
        texts=texts,
        max_loss=max_loss,
        rankings=rankings,
    )
    return prune(request)


@pytest.fixture(scope="module")
def noted(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The encoder with the note of a fine-tuning."""
    directory = tmp_path_factory.mktemp("noted") / "source"
    shutil.copytree(source, directory)
    FinetuneNote((), {"steps": 3}, {"validation ndcg@10 after": 0.1}).write(directory)
    return directory


@pytest.fixture(scope="module")
def made(
    noted: Path, rankings: ValidationRankings, tmp_path_factory: pytest.TempPathFactory
) -> PruneReport:
    output = tmp_path_factory.mktemp("pruned") / "out"
    return pruned(noted, output, rankings, TAUGHT, max_loss=0.99)


def test_the_report_names_the_kept_parts_and_so_does_the_note(made: PruneReport) -> None:
    assert len(made.kept_layers) == 1
    assert (made.layers, made.tokens) == (3, len(SPECIAL) + len(PIECES))
    assert made.kept_tokens < made.tokens
    assert made.change.after.size_bytes < made.change.before.size_bytes
    note = json.loads((made.directory / PRUNE_NOTE).read_text())
    assert note["layers"] == 3
    assert note["kept_layers"] == list(made.kept_layers)
    assert note["settings"]["layers"] == 1
    assert note["change"]["loss"] == made.change.loss


def test_the_fine_tunings_note_stays(made: PruneReport, noted: Path) -> None:
    assert read_note(made.directory) == read_note(noted)


def test_the_exported_directory_gives_the_same_vectors(
    made: PruneReport, rankings: ValidationRankings, tmp_path: Path
) -> None:
    report = export(made.directory, tmp_path / "onnx", dimensions=32, max_tokens=48)
    served = OnnxEncoder.load(report.directory, threads=1).encode(rankings.texts)
    np.testing.assert_allclose(
        served, encode(read_encoder(made.directory), rankings.texts), atol=1e-4
    )


def test_a_pruned_directory_is_pruned_again_and_replaced(
    made: PruneReport, rankings: ValidationRankings, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    shutil.copytree(made.directory, output)
    again = pruned(
        made.directory, output, rankings, PruneSettings(layers=1, steps=0), max_loss=0.99
    )
    assert again.kept_tokens == again.tokens == made.kept_tokens
    assert again.change.cosine_least == pytest.approx(1, abs=1e-5)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_equal_seeds_make_equal_weights(
    noted: Path, rankings: ValidationRankings, tmp_path: Path
) -> None:
    settings = PruneSettings(layers=2, steps=2, seed=4)
    first, second = (
        pruned(noted, tmp_path / name, rankings, settings, max_loss=0.99) for name in ("one", "two")
    )
    weights = [(one.directory / "model.safetensors").read_bytes() for one in (first, second)]
    assert weights[0] == weights[1]


def test_tokens_of_more_texts_and_of_prompts_stay(
    source: Path, rankings: ValidationRankings, tmp_path: Path
) -> None:
    prompted = read_encoder(source)
    prompted.prompts = {"item": "unuseda "}
    prompted.save_pretrained(str(tmp_path / "source"), create_model_card=False)
    settings = PruneSettings(layers=3, steps=0)
    made = pruned(tmp_path / "source", tmp_path / "out", rankings, settings, 0.99, ["unusedz"])
    state = json.loads((made.directory / TOKENIZER).read_text())
    kept = [token for token in state["model"]["vocab"] if token.startswith("unused")]
    assert kept == ["unuseda", "unusedz"]


def test_past_the_budget_nothing_is_written(
    noted: Path, rankings: ValidationRankings, tmp_path: Path
) -> None:
    with pytest.raises(LossBudgetExceeded, match=r"prune: NDCG@10 fell .* expected at most 0\.0%"):
        pruned(noted, tmp_path / "out", rankings, RUINED, max_loss=0.0)
    assert list(tmp_path.iterdir()) == []


def test_past_the_budget_an_existing_encoder_is_kept(
    made: PruneReport, noted: Path, rankings: ValidationRankings, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    shutil.copytree(made.directory, output)
    before = {path.name: path.stat().st_mtime_ns for path in output.iterdir()}
    with pytest.raises(LossBudgetExceeded):
        pruned(noted, output, rankings, RUINED, max_loss=0.0)
    assert {path.name: path.stat().st_mtime_ns for path in output.iterdir()} == before


@pytest.fixture
def spelling(source: Path, tmp_path: Path) -> Path:
    """The encoder with a byte-pair tokenizer."""
    directory = tmp_path / "spelling"
    shutil.copytree(source, directory)
    old = json.loads((source / TOKENIZER).read_text())["model"]["vocab"]
    tokenizer = Tokenizer(BPE(old, [], unk_token="[UNK]"))
    tokenizer.save(str(directory / TOKENIZER))
    return directory


def test_byte_pairs_are_refused_at_once_unless_the_vocabulary_is_kept(
    spelling: Path, rankings: ValidationRankings, tmp_path: Path
) -> None:
    steps: list[str] = []
    request = PruneRequest(
        source=spelling, output=tmp_path / "out", settings=TAUGHT, rankings=rankings
    )
    with pytest.raises(ConfigError, match=r"kind BPE, .*--keep-vocabulary"):
        prune(request, steps.append)
    assert steps == ["Reading the encoder"]
    assert not (tmp_path / "out").exists()
    settings = PruneSettings(layers=2, keep_vocabulary=True, steps=0)
    made = pruned(spelling, tmp_path / "out", rankings, settings, max_loss=0.99)
    assert made.kept_tokens == made.tokens == len(SPECIAL) + len(PIECES)


def test_wrong_arguments_are_refused_and_nothing_is_written(
    source: Path, rankings: ValidationRankings, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter").write_text("mine")
    for output, most, words in (
        (other, 0.03, "holds something other than a pruned encoder"),
        (tmp_path / "out", -0.1, "max_loss: got -0.1, expected 0 to below 1"),
    ):
        with pytest.raises(ConfigError, match=words):
            pruned(source, output, rankings, TAUGHT, max_loss=most)
    with pytest.raises(ConfigError, match="layers: got 4, expected 1 to 3"):
        pruned(source, tmp_path / "out", rankings, PruneSettings(layers=4))
    with pytest.raises(ConfigError, match="layers: got 0, expected 1 or more"):
        PruneSettings(layers=0)
    with pytest.raises(ConfigError, match="steps: got -1, expected 0 or more"):
        PruneSettings(steps=-1)
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_noisy_texts_are_distilled_with_the_remaining_tokens(
    rankings: ValidationRankings, tmp_path: Path
) -> None:
    texts = [text for text in training_texts(rankings.texts, 0) if text not in rankings.texts]
    slips = {word for text in texts for word in text.split()} - set(PIECES)
    source = tmp_path / "source"
    source.mkdir()
    write_encoder(source, [*PIECES, *sorted(slips)], layers=1)
    meant = encode(read_encoder(source), texts)
    likeness = []
    for steps in (0, 120):
        settings = PruneSettings(layers=1, steps=steps)
        made = pruned(source, tmp_path / str(steps), rankings, settings, max_loss=0.99)
        found = encode(read_encoder(made.directory), texts)
        likeness.append(float((meant * found).sum(axis=1).mean()))
    untaught, taught = likeness
    assert untaught < 0.99
    assert 1 - taught < (1 - untaught) / 2
