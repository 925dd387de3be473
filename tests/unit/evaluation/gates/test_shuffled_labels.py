"""A candidate trained on shuffled labels does not pass."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from penchant.domain.types import Item, Matrix
from penchant.evaluation.gates.budgets import Budgets
from penchant.evaluation.gates.judge import judge
from penchant.evaluation.gates.side import Side
from penchant.evaluation.gates.validation import Validation
from penchant.evaluation.gates.verdict import Verdict
from penchant.logs.stream import Stream, first_events
from penchant.training.finetuning.finetune import finetune
from penchant.training.finetuning.finetune_settings import FinetuneSettings
from penchant.training.finetuning.trainable_encoder import encode, read_encoder
from tests.support.tiny_encoders import write_encoder
from tests.unit.evaluation.gates.planted import CONFIG
from tests.unit.training.finetuning.conftest import HIDDEN, WORDS, group_of, planted, request_of

TRAINED = 0.6
HEAD_ALONE = FinetuneSettings(
    steps=0, head_steps=150, dimensions=(16,), segments=8, test_fraction=0.0
)


class Tuned:
    """The encoder in a fine-tuned directory."""

    def __init__(self, directory: Path) -> None:
        self._model = read_encoder(directory)

    def encode(self, texts: Sequence[str]) -> Matrix:
        return encode(self._model, list(texts), 16)


@pytest.fixture(scope="module")
def log() -> Stream:
    """A log of 120 users, each of whom likes items of one group."""
    stream = planted(120)
    items = [Item(one.id, one.text, {"group": str(group_of(int(one.id)))}) for one in stream.items]
    return dataclasses.replace(stream, items=tuple(items))


def test_it_is_refused_with_the_worst_cohort_and_its_figures(log: Stream, tmp_path: Path) -> None:
    source = write_encoder(tmp_path, WORDS, hidden=HIDDEN, initializer_range=0.05)
    older = first_events(log, int(TRAINED * len(log.events)))
    shuffled = np.random.default_rng(0).permutation(older.item)
    logs = {"good": older, "bad": dataclasses.replace(older, item=shuffled)}
    sides = {}
    for name, stream in logs.items():
        finetune(request_of(stream, source, tmp_path / name, HEAD_ALONE))
        sides[name] = Side(Tuned(tmp_path / name), CONFIG)

    def judged(baseline: Side, candidate: Side) -> Verdict:
        newest, budgets = Validation(1 - TRAINED), Budgets(min_rankings=50)
        return judge(log, baseline, candidate, budgets, attributes=["group"], validation=newest)

    verdict = judged(sides["good"], sides["bad"])
    assert not verdict.passed
    worst = verdict.refused[0]
    assert worst.loss > 0.2
    assert verdict.text().startswith(f"gate: refused: {worst.cohort}: NDCG@10 fell from 0.")
    assert "budget 3 %" in verdict.text()
    assert {"all rankings", "group = 0"} <= {one.cohort for one in verdict.refused}
    assert judged(sides["bad"], sides["good"]).passed
