"""Whole fine-tunings of a tiny encoder."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.torch import load_file

from penchant.domain.errors import ConfigError
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import Event
from penchant.encoder.onnx import OnnxEncoder
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import POSITIVE, parse_relevance
from penchant.logs.stream import Stream, make_stream
from penchant.training.finetuning.finetune import FinetuneReport, finetune
from penchant.training.finetuning.finetune_settings import FinetuneSettings
from penchant.training.finetuning.provenance import read_note
from penchant.training.finetuning.trainable_encoder import encode, read_encoder
from penchant.training.finetuning.training_progress import TrainingProgress
from penchant.training.resumption import TRAINED_WEIGHTS
from tests.support.exporting import export
from tests.unit.training.finetuning.conftest import GROUPS, ITEMS, group_of, request_of

Vectors = NDArray[np.float32]

SETTINGS = FinetuneSettings(
    dimensions=(16, 4),
    head_steps=0,
    steps=80,
    segments=8,
    learning_rate=3e-3,
    head_learning_rate=2e-2,
    evaluate_every=20,
    patience=9,
)
TEXTS = [f"film about word{number}" for number in range(ITEMS)]


def vectors_of(directory: Path, width: int | None = None) -> Vectors:
    return encode(read_encoder(directory), TEXTS, width)


def gap(vectors: Vectors) -> float:
    """Mean cosine within groups of items, minus the mean cosine between groups."""
    groups = np.array([group_of(item) for item in range(ITEMS)])
    same = (groups[:, None] == groups) & ~np.eye(ITEMS, dtype=bool)
    cosines = vectors @ vectors.T
    return float(cosines[same].mean() - cosines[groups[:, None] != groups].mean())


@pytest.fixture(scope="session")
def report(
    stream: Stream, source: Path, tmp_path_factory: pytest.TempPathFactory
) -> FinetuneReport:
    output = tmp_path_factory.mktemp("finetune") / "out"
    return finetune(request_of(stream, source, output, SETTINGS))


def test_the_loss_falls(report: FinetuneReport) -> None:
    losses = [row["loss"] for row in report.trained.log if "loss" in row]
    assert len(losses) == SETTINGS.steps // 10
    assert losses[-1] < 0.75 * losses[0]


def test_items_liked_together_come_together(report: FinetuneReport, source: Path) -> None:
    assert abs(gap(vectors_of(source))) < 0.05
    assert gap(vectors_of(report.directory)) > 0.5


def test_the_first_dimensions_rank_by_themselves(report: FinetuneReport) -> None:
    assert vectors_of(report.directory).shape == (ITEMS, 16)
    assert gap(vectors_of(report.directory, 4)) > 0.5


def test_ranking_improves_on_events_not_trained_on(report: FinetuneReport) -> None:
    for part in ("validation", "test"):
        before, after = (report.measured[f"{part} ndcg@10 {when}"] for when in ("before", "after"))
        assert after > before + 0.1
    assert report.trained.stopped_by == "steps"
    assert report.trained.best_step in (20, 40, 60, 80)


def test_the_exported_encoder_equals_the_trained_one(
    report: FinetuneReport, tmp_path: Path
) -> None:
    exported = export(report.directory, tmp_path / "onnx", dimensions=4, max_tokens=32)
    assert exported.max_difference < 1e-4
    served = OnnxEncoder.load(tmp_path / "onnx", threads=1).encode(TEXTS)
    np.testing.assert_allclose(served, vectors_of(report.directory, 4), atol=1e-4)


def test_a_seed_decides_the_result(
    report: FinetuneReport, stream: Stream, source: Path, tmp_path: Path
) -> None:
    finetune(request_of(stream, source, tmp_path / "same", SETTINGS))
    same = vectors_of(tmp_path / "same")
    np.testing.assert_array_equal(same, vectors_of(report.directory))
    other = dataclasses.replace(SETTINGS, seed=1, steps=10)
    finetune(request_of(stream, source, tmp_path / "other", other))
    assert np.abs(vectors_of(tmp_path / "other") - same).max() > 0.01


@pytest.mark.parametrize("objective", ["rating", "class"])
def test_other_objectives_learn_from_dislikes_too(
    objective: str, stream: Stream, source: Path, tmp_path: Path
) -> None:
    """Every second event is a dislike of an item from another group."""
    random = np.random.default_rng(0)
    events = []
    for like in stream.events:
        other = int(random.choice([n for n in range(ITEMS) if group_of(n) != int(like.item) % 4]))
        events.append(dataclasses.replace(like, occurred_at_us=2 * like.occurred_at_us))
        at_us = 2 * like.occurred_at_us + 1
        id_ = f"not {like.event_id}"
        events.append(Event(id_, like.user, str(other), "dislike", None, at_us))
    relevance = parse_relevance(POSITIVE)
    mixed = make_stream(stream.items, events, DEFAULT_SIGNALS, relevance, LeftOut())
    settings = dataclasses.replace(SETTINGS, objective=objective, learning_rate=1e-3)
    done = finetune(request_of(mixed, source, tmp_path / "out", settings))
    losses = [row["loss"] for row in done.trained.log if "loss" in row]
    assert losses[-1] < 0.9 * losses[0]
    assert gap(vectors_of(tmp_path / "out")) > 0.2


class TrainingKilled(BaseException):
    """Stands for kill -9: nothing is saved on the way out."""


def kill(step: int) -> None:
    if step == 27:
        raise TrainingKilled


def test_a_killed_training_resumes_to_the_same_result(
    report: FinetuneReport, stream: Stream, source: Path, tmp_path: Path
) -> None:
    request = request_of(stream, source, tmp_path / "out", SETTINGS)
    with pytest.raises(TrainingKilled):
        finetune(request, TrainingProgress(on_step=kill))
    assert not request.output.exists()
    steps: list[int] = []
    again = finetune(request, TrainingProgress(on_step=steps.append))
    assert steps[0] == 21
    assert again.measured == report.measured
    np.testing.assert_array_equal(vectors_of(request.output), vectors_of(report.directory))


def test_a_training_that_runs_out_of_time_resumes(
    report: FinetuneReport, stream: Stream, source: Path, tmp_path: Path
) -> None:
    request = request_of(stream, source, tmp_path / "out", SETTINGS)
    parts = 0
    while finetune(dataclasses.replace(request, max_minutes=0.0)).trained.stopped_by == "time":
        parts += 1
        assert not request.output.exists()
        if parts == 3:
            break
    last = finetune(request)
    assert parts == 3
    assert last.trained.stopped_by == "steps"
    assert not request.checkpoints.exists()
    np.testing.assert_array_equal(vectors_of(request.output), vectors_of(report.directory))


def test_with_hard_negatives_a_killed_training_resumes_to_the_same_result_too(
    stream: Stream, source: Path, tmp_path: Path
) -> None:
    settings = dataclasses.replace(SETTINGS, hard_negatives=3, head_steps=60, steps=30)
    whole = request_of(stream, source, tmp_path / "whole", settings)
    finetune(whole)
    assert gap(vectors_of(whole.output)) > 0.3
    request = request_of(stream, source, tmp_path / "killed", settings)
    with pytest.raises(TrainingKilled):
        finetune(request, TrainingProgress(on_step=kill))
    finetune(request)
    np.testing.assert_array_equal(vectors_of(request.output), vectors_of(whole.output))


def test_a_training_does_not_resume_with_other_settings(
    stream: Stream, source: Path, tmp_path: Path
) -> None:
    request = request_of(stream, source, tmp_path / "out", SETTINGS)
    finetune(dataclasses.replace(request, max_minutes=0.0))
    other = dataclasses.replace(request, settings=dataclasses.replace(SETTINGS, temperature=0.5))
    with pytest.raises(ConfigError, match="a training with other settings"):
        finetune(other)


def test_a_directory_with_something_else_is_left_alone(
    stream: Stream, source: Path, tmp_path: Path
) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(ConfigError, match="something other than a fine-tuned encoder"):
        finetune(request_of(stream, source, tmp_path, SETTINGS))


def test_training_stops_when_the_ranking_gets_no_better(
    stream: Stream, source: Path, tmp_path: Path
) -> None:
    settings = dataclasses.replace(SETTINGS, learning_rate=1e-9, head_learning_rate=1e-9)
    settings = dataclasses.replace(settings, patience=1)
    done = finetune(request_of(stream, source, tmp_path / "out", settings))
    assert done.trained.stopped_by == "patience"
    assert done.trained.steps == 40
    assert done.trained.best_step == 0


def test_events_after_the_training_part_change_no_weight(
    report: FinetuneReport, stream: Stream, source: Path, tmp_path: Path
) -> None:
    """Compares a checkpoint, since later events do decide which weights are kept."""
    begin = int(len(stream.at_us) * 0.8)
    reward = stream.reward.copy()
    reward[begin:] = -reward[begin:]
    item = stream.item.copy()
    item[begin:] = (item[begin:] + 1) % ITEMS
    changed = dataclasses.replace(stream, reward=reward, item=item)
    settings = dataclasses.replace(SETTINGS, head_steps=20)
    weights = []
    for name, log in (("as it was", stream), ("turned round", changed)):
        request = request_of(log, source, tmp_path / name, settings)
        with pytest.raises(TrainingKilled):
            finetune(request, TrainingProgress(on_step=kill))
        found = load_file(request.checkpoints / "checkpoint-20" / TRAINED_WEIGHTS)
        weights.append({name: weight.numpy() for name, weight in found.items()})
    assert weights[0].keys() == weights[1].keys()
    for name, weight in weights[0].items():
        np.testing.assert_array_equal(weight, weights[1][name])


def test_a_training_that_only_makes_rankings_worse_keeps_the_start(
    stream: Stream, source: Path, tmp_path: Path
) -> None:
    settings = dataclasses.replace(SETTINGS, learning_rate=1.0, head_learning_rate=1.0)
    done = finetune(request_of(stream, source, tmp_path / "out", settings))
    assert done.trained.best_step == 0
    for part in ("validation", "test"):
        metric = f"{part} ndcg@10"
        assert done.measured[f"{metric} after"] == done.measured[f"{metric} before"]


def test_the_note_says_what_was_trained_on(report: FinetuneReport, stream: Stream) -> None:
    note = read_note(report.directory)
    (only,) = note.rounds
    assert only.train.from_us == stream.at_us[0]
    assert only.train.until_us <= only.test.from_us
    assert only.log_until_us == stream.at_us[-1] + 1
    assert note.measured == report.measured
    assert GROUPS * 8 == ITEMS
