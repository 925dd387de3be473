"""The bulk of jobs done by some workers, as something to compare with what one process does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from penchant.config import Config
from penchant.domain.retired_signals import RetiredSignals
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.encoder import shared_encoder
from penchant.encoder.onnx import OnnxEncoder
from penchant.encoder.shared_encoder import SharedEncoder
from penchant.evaluation import shared_replay
from penchant.evaluation.penchant import PenchantRecommender, middle_clock
from penchant.evaluation.recommender_comparison import compare_recommenders
from penchant.evaluation.targets import ReplayConfig
from penchant.refresh import user_outcomes
from penchant.refresh.record_workers import MakeShare, make_share, record_workers
from penchant.refresh.remembered_log import RememberedLog
from penchant.refresh.user_outcomes import OutcomeReaders
from penchant.service import rebuilt_records
from penchant.service.rebuilt_records import rebuild_records
from penchant.store.lmdb import LmdbStore
from penchant.system.workers import Workers
from tests.support import dying_workers
from tests.support.histories import FILMS
from tests.support.word_encoder import write_word_encoder
from tests.support.world import World, liked
from tests.unit.evaluation.streams import random_stream
from tests.unit.service.test_forget_user import rows_of

TEXTS = [f"a text of number{number} and word{number % 13}" for number in range(50)]
JOBS = ("records", "log", "texts", "replay")
"""What `done_by` does, and what dies in it once."""


def store_to_share(directory: Path) -> str:
    """Writes a store with forty users; returns its address."""
    store = LmdbStore(directory / "store", map_bytes=64 << 20)
    world = World(directory / "catalog", store=store)
    world.put(**FILMS)
    films, signals = sorted(FILMS), ("like", "purchase", "dislike", "click")
    for number in range(120):
        user, signal = f"u{number % 40:02}", signals[number % 4]
        event = liked(
            f"e{number}", films[number % 6], user=user, signal=signal, ago_s=number * 50.0
        )
        world.feed(event)
    store.close()
    write_word_encoder(directory / "encoder", TEXTS, 16, seed=1)
    return f"lmdb:{directory / 'store'}"


def smaller_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares so small that a small store gives several."""
    monkeypatch.setattr(rebuilt_records, "_SHARE_USERS", 10)
    monkeypatch.setattr(user_outcomes, "SHARE_USERS", 10)
    monkeypatch.setattr(shared_encoder, "SHARE_TEXTS", 16)


def dying(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    """Lets one process of each job die, once; markers are in `place`."""
    monkeypatch.setenv(dying_workers.PLACE, str(place))
    monkeypatch.setattr(user_outcomes, "read_share", dying_workers.read_share_or_die)
    monkeypatch.setattr(shared_encoder, "encode_share", dying_workers.encode_share_or_die)
    monkeypatch.setattr(shared_replay, "replay_part", dying_workers.replay_part_or_die)


def done_by(workers: Workers, directory: Path, make: MakeShare = make_share) -> dict[str, Any]:
    """The outcome of each job; numbers as bytes."""
    address = f"lmdb:{directory / 'store'}"
    store = LmdbStore(directory / "store", map_bytes=64 << 20)
    try:
        fewer = {name: one for name, one in DEFAULT_SIGNALS.items() if name != "dislike"}
        retired = RetiredSignals()
        made = record_workers(address, fewer, 2, workers, make)
        users = rebuild_records(store, fewer, 2, retired=retired, make=made)
        with store.snapshot() as snapshot:
            rows = {number: number for number in range(len(FILMS))}
            log = RememberedLog(OutcomeReaders(workers, address))
            events = log.read(snapshot, DEFAULT_SIGNALS, rows, RetiredSignals())
        records = rows_of(store)
    finally:
        store.close()
    inner = OnnxEncoder.load(directory / "encoder", threads=1)
    encoder = SharedEncoder(inner, directory / "encoder", workers=workers)
    return {
        "records": (users, retired.cases(), records),
        "log": [
            getattr(events, name).tobytes()
            for name in ("user", "item", "reward", "weight", "signal", "at_us")
        ],
        "texts": encoder.encode(TEXTS).tobytes(),
        "replay": _replayed(workers),
    }


def _replayed(workers: Workers) -> list[bytes]:
    stream = random_stream(seed=1, events=400)
    vectors = np.random.default_rng(1).standard_normal((len(stream.items), 8)).astype(np.float32)
    config = Config("memory:", Path("none"))
    clock = middle_clock(learn_for=config)
    penchant = PenchantRecommender(config, vectors, clock)
    plan = ReplayConfig(0.3, refresh_every=100)
    found = compare_recommenders(stream, plan, penchant, [], [10], 1, workers=workers)
    (result,) = found.results
    drifts = [part for one in found.drifts for part in (one.at_us, one.to_last)]
    return [result.rank.tobytes(), result.top.tobytes(), *(part.tobytes() for part in drifts)]
