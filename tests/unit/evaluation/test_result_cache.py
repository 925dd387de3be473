"""Finished baselines are cached: a killed evaluation resumes, with the same numbers."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.domain.types import (
    Context,
    Vector,
)
from penchant.evaluation.baselines.item_knn import ItemKnn
from penchant.evaluation.baselines.popularity import MostPopular
from penchant.evaluation.penchant import PenchantRecommender
from penchant.evaluation.recommender import Recommender
from penchant.evaluation.recommender_comparison import Evaluation, compare_recommenders
from penchant.evaluation.result_cache import ResultCache
from penchant.evaluation.targets import ReplayConfig
from penchant.logs.stream import Stream
from tests.unit.evaluation.streams import random_stream

STREAM = random_stream(seed=1, events=300)
REPLAY_CONFIG = ReplayConfig(0.3, refresh_every=50)


def run(
    baselines: list[Recommender],
    directory: Path | None,
    replay_config: ReplayConfig = REPLAY_CONFIG,
) -> Evaluation:
    vectors = np.random.default_rng(1).standard_normal((len(STREAM.items), 4)).astype(np.float32)
    penchant = PenchantRecommender(Config("memory:", Path("none")), vectors)
    cache = None if directory is None else ResultCache(directory, STREAM, replay_config, 1)
    return compare_recommenders(STREAM, replay_config, penchant, baselines, [10], 1, cache=cache)


class Refuses(MostPopular):
    """A baseline that must not be replayed."""

    def fit(self, stream: Stream, until: int) -> None:
        raise AssertionError("was replayed again")


class KillsItself(ItemKnn):
    """A baseline that kills its process in the middle of the replay."""

    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


def killed(directory: Path) -> None:
    """The body of the process in the test below."""
    run([MostPopular(), KillsItself()], directory)


def test_after_a_kill_finished_baselines_are_not_replayed_and_numbers_stay(
    tmp_path: Path,
) -> None:
    code = f"from {__name__} import *; killed(Path({str(tmp_path)!r}))"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()
    resumed = run([Refuses(), ItemKnn()], tmp_path)
    whole = run([MostPopular(), ItemKnn()], None)
    for one, other in zip(resumed.results, whole.results, strict=True):
        assert one.name == other.name
        np.testing.assert_array_equal(one.rank, other.rank)
        np.testing.assert_array_equal(one.top, other.top)
    assert [s.overall for s in resumed.summaries] == [s.overall for s in whole.summaries]


def test_another_configuration_seed_or_stream_finds_nothing_cached(tmp_path: Path) -> None:
    run([MostPopular()], tmp_path)
    shorter = dataclasses.replace(STREAM, reward=-STREAM.reward)
    for other in (
        ResultCache(tmp_path, STREAM, dataclasses.replace(REPLAY_CONFIG, every=2), 1),
        ResultCache(tmp_path, STREAM, REPLAY_CONFIG, 2),
        ResultCache(tmp_path, shorter, REPLAY_CONFIG, 1),
    ):
        assert other.read("popularity") is None
    assert ResultCache(tmp_path, STREAM, REPLAY_CONFIG, 1).read("popularity") is not None


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    run([MostPopular()], tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ConfigError, match=r"popularity-.*can't be read"):
        run([MostPopular()], tmp_path)
