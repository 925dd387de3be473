"""Continued pretraining: masked words are predicted better, and an interruption changes nothing."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import pytest
from safetensors.torch import load_file

from penchant.domain.errors import ConfigError
from penchant.training.finetuning.trainable_encoder import encode, read_encoder
from penchant.training.pretrain import PretrainRequest, pretrain
from penchant.training.pretrain_settings import PretrainSettings
from tests.support.command import run
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


def request_of(source: Path, output: Path) -> PretrainRequest:
    return PretrainRequest(output=output, texts=TEXTS, source=source, settings=SETTINGS)


def test_masked_words_of_held_out_texts_are_predicted_better(source: Path, tmp_path: Path) -> None:
    report = pretrain(request_of(source, tmp_path / "out"))
    assert report.steps == 120
    assert report.after < 0.7 * report.before
    assert encode(read_encoder(tmp_path / "out"), TEXTS).shape == (len(TEXTS), 32)
    assert not (tmp_path / "out.training").exists()


def test_an_interrupted_training_resumes_to_the_same_weights(source: Path, tmp_path: Path) -> None:
    few = dataclasses.replace(SETTINGS, steps=40, save_every=20)
    whole = dataclasses.replace(request_of(source, tmp_path / "whole"), settings=few)
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


def test_a_training_does_not_resume_with_other_texts(source: Path, tmp_path: Path) -> None:
    def stop(step: int) -> None:
        raise KeyboardInterrupt

    request = request_of(source, tmp_path / "out")
    with pytest.raises(KeyboardInterrupt):
        pretrain(request, stop)
    with pytest.raises(ConfigError, match="a training with other texts"):
        pretrain(dataclasses.replace(request, texts=TEXTS[1:]))


def test_an_encoder_that_predicts_no_masked_words_is_refused(tmp_path: Path) -> None:
    (tmp_path / "gpt").mkdir()
    source = write_encoder(tmp_path / "gpt", ["a"], kind="gpt2")
    with pytest.raises(ConfigError, match="got a gpt2, which predicts no masked tokens"):
        pretrain(request_of(source, tmp_path / "out"))


def test_the_command_reads_items_and_names_the_next_command(source: Path, tmp_path: Path) -> None:
    items = tmp_path / "items.csv"
    items.write_text("id,text\n" + "".join(f"{n},{text}\n" for n, text in enumerate(TEXTS)))
    options = ["--items", items, "--source", source, "--output", tmp_path / "out", "--steps", 2]
    result = run(["pretrain", *options])
    assert result.exit_code == 0, result.output
    assert f"with --source {tmp_path / 'out'}" in result.output.replace("\n", "")
    refused = run(["pretrain", "--output", tmp_path / "other"])
    assert (refused.exit_code, refused.stderr) == (
        1,
        "penchant: nothing to read: name --items, --dataset movielens or --texts\n",
    )


@pytest.mark.parametrize("config", [None, "{}", "no JSON"])
def test_a_directory_that_is_no_encoder_is_refused(tmp_path: Path, config: str | None) -> None:
    source = tmp_path / "source"
    source.mkdir()
    if config is not None:
        (source / "config.json").write_text(config)
    why = "holds no config.json" if config is None else "can't be read: "
    with pytest.raises(ConfigError, match=f"source: {source} {why}"):
        pretrain(request_of(source, tmp_path / "out"))
