"""`penchant quantize`: its output and its exit statuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from penchant.cli.judging import REFUSED
from penchant.encoder.onnx import OnnxEncoder
from penchant.training.compress import quantize as module
from tests.support.command import Ran, run
from tests.unit.training.compress.planted import write_log, write_outlier_encoder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with an encoder and a log."""
    directory = tmp_path_factory.mktemp("place")
    write_log(directory)
    write_outlier_encoder(directory / "encoder")
    return directory


def invoke(place: Path, output: Path, *more: object) -> Ran:
    named = {"source": "encoder", "items": "items.csv", "events": "events.csv"}
    arguments: list[object] = [
        part for name, file in named.items() for part in (f"--{name}", place / file)
    ]
    arguments += ["--output", output, "--signal", "like", "--validation-fraction", 0.5, *more]
    return run(["quantize", *arguments], columns=120)


def test_it_writes_an_encoder_and_shows_the_loss(place: Path, tmp_path: Path) -> None:
    result = invoke(place, tmp_path / "out", "--method", "dynamic")
    assert result.exit_code == 0, result.output
    for word in ("NDCG@10", "% lost (", "cosine", "MB", "texts together", "one text alone"):
        assert word in result.output
    assert " of 2 products stay in fp32.\nNext:\n  penchant publish --candidate" in result.output
    assert OnnxEncoder.load(tmp_path / "out", threads=1).encode(["shoes"]).shape == (1, 80)


def test_past_the_budget_it_ends_with_the_status_of_a_refusal_and_writes_nothing(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT", (0,))
    result = invoke(place, tmp_path / "out", "--method", "dynamic", "--max-loss", "0%")
    assert result.exit_code == REFUSED == 2
    assert "quantize: NDCG@10 fell from 0." in result.output
    assert "expected at most 0.0%; nothing was written" in result.output
    assert list(tmp_path.iterdir()) == []


def test_by_default_a_text_has_the_same_vector_in_any_batch(place: Path, tmp_path: Path) -> None:
    assert invoke(place, tmp_path / "out").exit_code == 0
    encoder = OnnxEncoder.load(tmp_path / "out", threads=1)
    texts = ["shoes", "a dress", "coats"]
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    np.testing.assert_allclose(encoder.encode(texts), alone, atol=1e-5)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--max-loss", "much"), "--max-loss: got 'much'"),
        (("--max-loss", "100%"), "max_loss: got 1.0, expected 0 to below 1"),
        (("--method", "int4"), "method: got 'int4'"),
        (("--log-fraction", "0"), "log_fraction: got 0.0"),
    ],
)
def test_a_wrong_option_is_an_error_and_not_a_refusal(
    more: tuple[str, str], words: str, place: Path, tmp_path: Path
) -> None:
    result = invoke(place, tmp_path / "out", *more)
    assert result.exit_code == 1
    assert words in result.stderr
    assert list(tmp_path.iterdir()) == []
