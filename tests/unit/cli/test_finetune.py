"""`penchant finetune` on a user's own files, with a tiny encoder."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from penchant.cli.main import COMMANDS
from penchant.logs.stream import Stream
from penchant.training.finetuning.provenance import read_note
from tests.support.command import Ran, run
from tests.support.tiny_encoders import write_encoder
from tests.unit.training.finetuning.conftest import WORDS, planted


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with an encoder and a log, whose columns have names of their own."""
    directory = tmp_path_factory.mktemp("place")
    write_encoder_and_log(directory, planted(20))
    return directory


def write_encoder_and_log(directory: Path, stream: Stream) -> None:
    (directory / "source").mkdir()
    write_encoder(directory / "source", WORDS)
    with (directory / "items.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["item_id", "word"])
        rows.writerows([item.id, item.text.split()[-1]] for item in stream.items)
    with (directory / "events.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["user_id", "item_id", "stars", "timestamp"])
        rows.writerows([e.user, e.item, 5, e.occurred_at_us // 1_000_000] for e in stream.events)


def call(place: Path, output: Path, *more: str) -> Ran:
    arguments = ["--items", str(place / "items.csv"), "--events", str(place / "events.csv")]
    arguments += ["--text-template", "film about {word}", "--signal", "rating"]
    arguments += ["--map", "stars=value", "--output", str(output)]
    arguments += ["--dimensions", "8,4", "--head-steps", "20", "--steps", "4"]
    arguments += ["--evaluate-every", "2", *more]
    return run(["finetune", *arguments], columns=120)


def output_of(place: Path, output: Path, *more: str) -> str:
    """The output of the command, which must succeed."""
    result = call(place, output, *more)
    assert result.exit_code == 0, result.output
    return result.output


def test_it_trains_on_a_users_files_and_shows_the_results(place: Path, tmp_path: Path) -> None:
    said = output_of(place, tmp_path / "out", "--source", str(place / "source"))
    assert "32 items, 140 events" in said
    assert "validation ndcg@10" in said
    assert "test recall@10" in said
    assert "penchant export --source" in said
    assert read_note(tmp_path / "out").settings["dimensions"] == [8, 4]


def test_out_of_time_it_says_so_and_the_same_command_resumes(place: Path, tmp_path: Path) -> None:
    options = ("--source", str(place / "source"))
    said = output_of(place, tmp_path / "out", *options, "--max-minutes", "0")
    assert "Stopped after 1 of 4 steps; the same command resumes from there." in said
    assert not (tmp_path / "out").exists()
    assert "4 (all done)" in output_of(place, tmp_path / "out", *options)


def test_a_second_round_trains_on_newer_events(place: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    output_of(place, first, "--source", str(place / "source"), "--train-fraction", "0.5")
    said = output_of(place, second, "--from", str(first))
    assert "earlier test ndcg@10" in said
    rounds = read_note(second).rounds
    assert rounds[0] == read_note(first).rounds[0]
    assert rounds[1].train.from_us >= rounds[0].log_until_us
    refused = call(place, tmp_path / "third", "--from", str(second))
    assert refused.exit_code == 1
    assert "events: none is newer than the last encoder's log" in refused.stderr


def test_low_rank_additions_are_merged(place: Path, tmp_path: Path) -> None:
    said = output_of(place, tmp_path / "out", "--source", str(place / "source"), "--method", "lora")
    assert "trainable weights" in said
    assert not list((tmp_path / "out").glob("adapter*"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "no log: name --events FILE, and --items FILE"),
        (["--dataset", "films"], "--dataset: got 'films', expected movielens"),
        (["--dataset", "movielens", "--train-fraction", "0"], "train_fraction: got 0.0"),
        (["--dataset", "movielens", "--dimensions", "many"], "--dimensions: got 'many'"),
        (["--dataset", "movielens", "--method", "half"], "method: got 'half', expected full, lora"),
        (["--source", "a", "--from", "b"], "--source, --from: got both"),
    ],
)
def test_a_wrong_option_is_named(options: list[str], message: str, tmp_path: Path) -> None:
    result = run(["finetune", "--output", tmp_path / "out", *options])
    assert result.exit_code == 1
    assert message in result.stderr


def test_the_package_to_report_to_must_be_installed(place: Path, tmp_path: Path) -> None:
    options = ("--source", str(place / "source"), "--report-to", "wandb")
    result = call(place, tmp_path / "out", *options)
    assert result.exit_code == 1
    assert "report_to: wandb" in result.stderr


def test_the_command_is_in_the_table() -> None:
    assert COMMANDS["finetune"][0] == "penchant.cli.finetune:finetune"
