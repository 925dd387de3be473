"""A second round, on newer events in which other items are liked together."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from penchant.domain.errors import ConfigError
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import POSITIVE, parse_relevance
from penchant.logs.stream import Stream, make_stream
from penchant.training.finetuning.finetune import FinetuneReport, finetune
from penchant.training.finetuning.finetune_settings import FinetuneSettings
from penchant.training.finetuning.provenance import read_note
from penchant.training.finetuning.trainable_encoder import read_encoder, transformer_of
from penchant.training.finetuning.training_data import choose_events
from tests.unit.training.finetuning.conftest import USERS, planted, request_of
from tests.unit.training.finetuning.test_finetune import SETTINGS, gap, vectors_of

KEEPING = dataclasses.replace(SETTINGS, replay_share=0.5, distillation_weight=2.0)
FORGETTING = dataclasses.replace(SETTINGS, replay_share=0.0, distillation_weight=0.0)


def other_group(item: int) -> int:
    """Group of an item in the newer half of the log."""
    return item // 8


@pytest.fixture(scope="session")
def longer(stream: Stream) -> Stream:
    """The log of the first round, then as many events by other users with other tastes."""
    newer = planted(USERS, other_group, begin=1000)
    events = [*stream.events, *newer.events]
    relevance = parse_relevance(POSITIVE)
    return make_stream(stream.items, events, DEFAULT_SIGNALS, relevance, LeftOut())


@pytest.fixture(scope="session")
def first(stream: Stream, source: Path, tmp_path_factory: pytest.TempPathFactory) -> FinetuneReport:
    return finetune(
        request_of(stream, source, tmp_path_factory.mktemp("round") / "first", SETTINGS)
    )


def test_a_round_has_new_events_and_those_that_earlier_rounds_trained_on(
    first: FinetuneReport, longer: Stream
) -> None:
    (earlier,) = read_note(first.directory).rounds
    data = choose_events(longer, (earlier,), KEEPING)
    at_us = longer.at_us
    new = [history for history in data.histories if history.user >= USERS]
    old = [history for history in data.histories if history.user < USERS]
    assert len(new) == len(old) == USERS
    trained_before = int(earlier.train.holds(at_us).sum())
    assert sum(len(history.items) for history in old) <= trained_before
    assert at_us[data.validation.start] >= data.record.train.until_us
    assert data.record.train.from_us >= earlier.log_until_us
    assert earlier.test.holds(at_us[data.earlier_test]).all()
    replayed = [number >= len(new) for number, _ in data.segments]
    assert np.mean(replayed) == 0.5


def test_a_round_that_trains_nothing_is_refused(
    first: FinetuneReport, longer: Stream, tmp_path: Path
) -> None:
    settings = dataclasses.replace(KEEPING, steps=0, head_steps=0)
    with pytest.raises(ConfigError, match="steps, head_steps: got 0 and 0, expected one of them"):
        finetune(request_of(longer, first.directory, tmp_path / "out", settings, continued=True))


def test_training_only_the_projection_keeps_the_first_round_too(
    first: FinetuneReport, longer: Stream, tmp_path: Path
) -> None:
    def second(settings: FinetuneSettings, name: str) -> FinetuneReport:
        settings = dataclasses.replace(settings, steps=0, head_steps=200)
        return finetune(
            request_of(longer, first.directory, tmp_path / name, settings, continued=True)
        )

    kept, lost = second(KEEPING, "kept"), second(FORGETTING, "lost")
    assert kept.trained.steps == 0
    before = gap(vectors_of(first.directory))
    assert gap(vectors_of(lost.directory)) < 0.5 * before
    assert gap(vectors_of(kept.directory)) > 0.5 * before
    bodies = [transformer_of(read_encoder(r.directory)).state_dict() for r in (first, kept)]
    assert all(torch.equal(weight, bodies[1][name]) for name, weight in bodies[0].items())


def test_replay_and_distillation_keep_the_first_round(
    first: FinetuneReport, longer: Stream, tmp_path: Path
) -> None:
    kept = finetune(request_of(longer, first.directory, tmp_path / "kept", KEEPING, continued=True))
    lost = finetune(
        request_of(longer, first.directory, tmp_path / "lost", FORGETTING, continued=True)
    )
    before = gap(vectors_of(first.directory))
    assert gap(vectors_of(kept.directory)) > 0.5 * before
    assert gap(vectors_of(lost.directory)) < 0.25 * before
    metric = "earlier test ndcg@10"
    assert kept.measured[f"{metric} before"] == lost.measured[f"{metric} before"]
    assert kept.measured[f"{metric} after"] > lost.measured[f"{metric} after"]
    assert len(read_note(kept.directory).rounds) == 2
