"""Continued pretraining: masked words are guessed better, and a stop changes nothing."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import pytest
import typer
from safetensors.torch import load_file
from typer.testing import CliRunner

from penchant.cli.pretrain import pretrain as command
from penchant.domain.errors import ConfigError
from penchant.training.finetuning.trainable_encoder import encode, read_encoder
from penchant.training.pretrain import PretrainRequest, PretrainSettings, pretrain
from tests.support.tiny_encoders import write_encoder

COLOURS, THINGS = ("red", "green", "blue", "grey"), ("coat", "dress", "shoe", "scarf")
TEXTS = [f"a {c} {t} is a {c} {t}" for c, t in itertools.product(COLOURS, THINGS)]
SETTINGS = PretrainSettings(
    steps=120, batch=8, learning_rate=3e-3, masked_share=0.3, save_every=40, held_out_share=0.2
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    words = ["a", "is", *COLOURS, *THINGS]
    return write_encoder(tmp_path / "source", words, initializer_range=0.05)


def test_masked_words_of_texts_held_out_are_guessed_better(source: Path, tmp_path: Path) -> None:
    report = pretrain(PretrainRequest(TEXTS, source, tmp_path / "out", SETTINGS))
    assert report.steps == 120
    assert report.after < 0.7 * report.before
    assert encode(read_encoder(tmp_path / "out"), TEXTS).shape == (len(TEXTS), 32)
    assert not (tmp_path / "out.training").exists()


def test_a_training_that_was_stopped_goes_on_to_the_same_weights(
    source: Path, tmp_path: Path
) -> None:
    few = dataclasses.replace(SETTINGS, steps=40, save_every=20)
    whole = PretrainRequest(TEXTS, source, tmp_path / "whole", few)
    pretrain(whole)

    def stop(step: int) -> None:
        if step == 27:
            raise KeyboardInterrupt

    cut = dataclasses.replace(whole, output=tmp_path / "cut")
    with pytest.raises(KeyboardInterrupt):
        pretrain(cut, stop)
    steps: list[int] = []
    pretrain(cut, steps.append)
    assert steps[0] == 21
    one = load_file(tmp_path / "whole" / "model.safetensors")
    other = load_file(tmp_path / "cut" / "model.safetensors")
    assert one.keys() == other.keys()
    assert max(float((one[name] - other[name]).abs().max()) for name in one) < 1e-5


def test_other_texts_do_not_go_on_with_a_begun_training(source: Path, tmp_path: Path) -> None:
    def stop(step: int) -> None:
        raise KeyboardInterrupt

    request = PretrainRequest(TEXTS, source, tmp_path / "out", SETTINGS)
    with pytest.raises(KeyboardInterrupt):
        pretrain(request, stop)
    with pytest.raises(ConfigError, match="a training with other texts"):
        pretrain(dataclasses.replace(request, texts=TEXTS[1:]))


def test_what_guesses_no_masked_words_is_refused(tmp_path: Path) -> None:
    (tmp_path / "gpt").mkdir()
    source = write_encoder(tmp_path / "gpt", ["a"], kind="gpt2")
    with pytest.raises(ConfigError, match="got a gpt2, which predicts no masked tokens"):
        pretrain(PretrainRequest(TEXTS, source, tmp_path / "out", SETTINGS))


def test_the_command_reads_items_and_says_what_comes_next(source: Path, tmp_path: Path) -> None:
    items = tmp_path / "items.csv"
    items.write_text("id,text\n" + "".join(f"{n},{text}\n" for n, text in enumerate(TEXTS)))
    app = typer.Typer(add_completion=False)
    app.command()(command)
    options = ["--items", items, "--source", source, "--output", tmp_path / "out", "--steps", 2]
    result = CliRunner().invoke(app, [str(option) for option in options])
    assert result.exit_code == 0, result.output
    assert "penchant finetune --source" in result.output
    assert isinstance(CliRunner().invoke(app, ["--output", "x"]).exception, ConfigError)
