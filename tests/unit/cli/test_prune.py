"""`penchant prune`: its output and its exit statuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penchant.cli.judging import REFUSED
from tests.support.command import Ran, run
from tests.support.tiny_encoders import write_encoder
from tests.unit.training.compress.conftest import PIECES
from tests.unit.training.compress.planted import write_log


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a Hugging Face encoder of three layers and a log."""
    directory = tmp_path_factory.mktemp("place")
    write_log(directory)
    (directory / "source").mkdir()
    write_encoder(directory / "source", PIECES, layers=3)
    return directory


def invoke(place: Path, output: Path, *more: object) -> Ran:
    named = {"source": "source", "items": "items.csv", "events": "events.csv"}
    arguments: list[object] = [
        part for name, file in named.items() for part in (f"--{name}", place / file)
    ]
    arguments += ["--output", output, "--signal", "like", *more]
    if not any(str(one).startswith("--validation-fraction") for one in more):
        arguments += ["--validation-fraction", 0.5]
    return run(["prune", *arguments], columns=120)


def test_it_writes_an_encoder_and_shows_the_loss(place: Path, tmp_path: Path) -> None:
    (tmp_path / "texts").write_text("unuseda\nunusedb\n")
    choices = ("--layers", 2, "--steps", 3, "--max-loss", "99%", "--texts", tmp_path / "texts")
    result = invoke(place, tmp_path / "out", *choices)
    assert result.exit_code == 0, result.output
    for word in ("NDCG@10", "% lost (", "cosine", "MB", "texts together", "one text alone"):
        assert word in result.output
    assert "of 178 tokens.\nNext:\n  penchant export --source" in result.output
    state = json.loads((tmp_path / "out" / "tokenizer.json").read_text())
    kept = [token for token in state["model"]["vocab"] if token.startswith("unused")]
    assert kept == ["unuseda", "unusedb"]


def test_the_vocabulary_stays_whole_on_request(place: Path, tmp_path: Path) -> None:
    choices = ("--layers", 3, "--steps", 0, "--keep-vocabulary", "--max-loss", "99%")
    result = invoke(place, tmp_path / "out", *choices)
    assert result.exit_code == 0, result.output
    assert "Kept layers 1, 2, 3 of 3, and 178 of 178 tokens." in result.output


def test_past_the_budget_it_ends_with_the_status_of_a_refusal_and_writes_nothing(
    place: Path, tmp_path: Path
) -> None:
    ruin = ("--layers", 1, "--steps", 5, "--learning-rate", 10, "--max-loss", "0%")
    result = invoke(place, tmp_path / "out", *ruin)
    assert result.exit_code == REFUSED == 2
    assert "prune: NDCG@10 fell from 0." in result.output
    assert "expected at most 0.0%; nothing was written" in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--max-loss=-1%",), "max_loss: got -0.01, expected 0 to below 1"),
        (("--layers", "4"), "layers: got 4, expected 1 to 3"),
        (("--validation-fraction", "1"), "validation_fraction: got 1.0"),
    ],
)
def test_a_wrong_option_is_an_error_and_not_a_refusal(
    more: tuple[str, ...], words: str, place: Path, tmp_path: Path
) -> None:
    result = invoke(place, tmp_path / "out", *more)
    assert result.exit_code == 1
    assert words in result.stderr
    assert list(tmp_path.iterdir()) == []
