"""The figures of two encoders, recomputed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from penchant.domain.errors import ConfigError
from penchant.domain.types import Matrix
from penchant.evaluation import metrics
from penchant.training.compress.encoder_comparison import (
    LossBudgetExceeded,
    compare_encoders,
    cosines_of,
    require_within,
    size_of,
)
from penchant.training.validation_rankings import ValidationRankings
from tests.unit.evaluation.gates.planted import CONFIG, kind_vectors, planted_log


class LookupEncoder:
    """An encoder that looks up whole texts."""

    version = "table"

    def __init__(self, texts: Sequence[str], vectors: Matrix) -> None:
        self._rows = dict(zip(texts, vectors, strict=True))
        self.dimensions = vectors.shape[1]

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([self._rows[text] for text in texts])


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Directories of 300 and 100 bytes, each with a subdirectory that does not count."""
    for name, size in (("before", 300), ("after", 100)):
        (tmp_path / name / "engines").mkdir(parents=True)
        (tmp_path / name / "encoder.onnx").write_bytes(bytes(size))
        (tmp_path / name / "engines" / "plan").write_bytes(bytes(1000))
    return tmp_path / "before", tmp_path / "after"


KNOWING, FORGETFUL = kind_vectors(), kind_vectors(("toys", "wine"))


def test_loss_interval_and_cosines_equal_a_computation_by_hand(
    rankings: ValidationRankings, places: tuple[Path, Path]
) -> None:
    encoders = [LookupEncoder(rankings.texts, vectors) for vectors in (KNOWING, FORGETFUL)]
    change = compare_encoders(rankings, (encoders[0], places[0]), (encoders[1], places[1]), seed=5)

    before, after = (rankings.gains(vectors)[:, 0] for vectors in (KNOWING, FORGETFUL))
    assert change.rankings == len(before) == len(rankings.user)
    assert change.before.ndcg == pytest.approx(before.mean())
    assert change.loss == pytest.approx((before.mean() - after.mean()) / before.mean())
    assert change.loss > 0.1

    users = sorted(set(rankings.user.tolist()))
    random = np.random.default_rng(5)
    losses = []
    for _ in range(metrics.RESAMPLES):
        drawn = [users[place] for place in random.integers(0, len(users), len(users))]
        rows = np.concatenate([np.flatnonzero(rankings.user == user) for user in drawn])
        losses.append(1 - after[rows].mean() / before[rows].mean())
    assert [change.low, change.high] == pytest.approx(np.quantile(losses, [0.025, 0.975]))
    assert change.low < change.loss < change.high

    cosines = [float(one @ other) for one, other in zip(KNOWING, FORGETFUL, strict=True)]
    assert change.cosine_mean == pytest.approx(np.mean(cosines), abs=1e-6)
    assert change.cosine_least == pytest.approx(min(cosines), abs=1e-6)
    assert (change.before.size_bytes, change.after.size_bytes) == (300, 100)
    assert change.speedup == change.after.texts_per_s / change.before.texts_per_s > 0


def test_gains_follow_from_the_rank_of_the_liked_item(rankings: ValidationRankings) -> None:
    gains, hit = rankings.gains(KNOWING).T
    assert set(hit.tolist()) == {0.0, 1.0}
    assert (gains[hit == 0] == 0).all()
    places = 2 ** (1 / gains[hit == 1]) - 1
    assert places.min() >= 1 - 1e-9
    assert places.max() <= 10 + 1e-9


def test_an_encoder_against_itself_loses_nothing(
    rankings: ValidationRankings, places: tuple[Path, Path]
) -> None:
    side = (LookupEncoder(rankings.texts, KNOWING), places[0])
    change = compare_encoders(rankings, side, side)
    assert (change.loss, change.low, change.high) == (0, 0, 0)
    assert change.cosine_least == pytest.approx(1, abs=1e-6)
    require_within(change, 0.0, "quantize")


def test_a_loss_above_the_budget_is_refused_with_its_figures(
    rankings: ValidationRankings, places: tuple[Path, Path]
) -> None:
    before, after = (LookupEncoder(rankings.texts, vectors) for vectors in (KNOWING, FORGETFUL))
    change = compare_encoders(rankings, (before, places[0]), (after, places[1]))
    require_within(change, change.loss, "prune")
    with pytest.raises(
        LossBudgetExceeded, match=r"prune: NDCG@10 fell from 0\.\d+ to 0\.\d+ over"
    ) as it:
        require_within(change, change.loss - 0.001, "prune")
    assert f"{change.loss:.1%} lost" in str(it.value)


def test_without_any_gain_before_no_loss_can_be_measured(
    rankings: ValidationRankings, places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    side = (LookupEncoder(rankings.texts, KNOWING), places[0])
    monkeypatch.setattr(rankings, "gains", lambda vectors: np.zeros((len(rankings.user), 2)))
    with pytest.raises(ConfigError, match="no loss can be measured"):
        compare_encoders(rankings, side, side)


def test_resamples_without_any_gain_do_not_count(
    rankings: ValidationRankings, places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    gains = np.zeros((len(rankings.user), 2))
    gains[0] = 1
    monkeypatch.setattr(rankings, "gains", lambda vectors: gains)
    side = (LookupEncoder(rankings.texts, KNOWING), places[0])
    change = compare_encoders(rankings, side, side)
    assert (change.loss, change.low, change.high) == (0, 0, 0)


def test_vectors_of_different_lengths_have_no_cosine() -> None:
    assert np.isnan(cosines_of(np.eye(3, dtype=np.float32), np.eye(3, 2, dtype=np.float32))).all()


def test_a_size_counts_files_but_not_subdirectories(places: tuple[Path, Path]) -> None:
    assert size_of(places[0]) == 300


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, float("nan")])
def test_a_validation_share_out_of_range_is_refused(fraction: float) -> None:
    with pytest.raises(ConfigError, match="validation_fraction: got"):
        ValidationRankings.of_newest(planted_log(), fraction, CONFIG, 100)


@pytest.mark.parametrize("most", [1, 7, 50, 10_000])
def test_there_are_no_more_rankings_than_requested(most: int) -> None:
    assert 1 <= len(ValidationRankings.of_newest(planted_log(), 0.5, CONFIG, most).user) <= most
