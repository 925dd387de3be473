"""The first hour of a server that starts empty: `python -m benchmarks.first_hour --output out`.

MovieLens-100K in its order, ranked from the very first rating of 4 or 5 on, with the clock of
`penchant serve` running: after every so many ratings it looks, and refreshes if enough are new
(`penchant.refresh.refresh_pace`). The clock counts ratings instead of minutes, so that a run is
deterministic. Beside it, popularity, and the same server without a clock. Each window of 2,000
rankings tells whether Penchant is certainly below popularity: the 95 % interval of the difference,
by user, ends below 0.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks.first_hour_plot import draw
from benchmarks.updater_runs import SEED, K, read_stream
from penchant.config import Config, parse
from penchant.domain.arrays import Int64
from penchant.domain.types import Context, Matrix, Vector
from penchant.encoder.onnx import OnnxEncoder
from penchant.evaluation import metrics
from penchant.evaluation.baselines.popularity import MostPopular
from penchant.evaluation.penchant import PenchantRecommender, Refresh
from penchant.evaluation.recommender import Recommender
from penchant.evaluation.replay import ReplayResult, replay
from penchant.evaluation.targets import ReplayConfig, choose_targets
from penchant.logs.stream import Stream, outcomes_before
from penchant.refresh.item_vectors import RefreshedCatalog, learn_catalog
from penchant.refresh.refresh_memory import RefreshMemory
from penchant.refresh.refresh_pace import is_due
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.report.page import as_json
from penchant.report.text_table import TextTable, rendered
from penchant.system.durable_file import write_whole

WINDOW = 2000
"""Rankings of a window."""


class Clocked:
    """Penchant with a clock that looks after every so many events; see `Recommender`."""

    name = "Penchant"

    def __init__(self, penchant: PenchantRecommender, look_every: int) -> None:
        self._penchant, self._look_every = penchant, look_every
        self._stream: Stream | None = None
        self._learnt = 0
        self.refreshed_at: list[int] = []

    def fit(self, stream: Stream, until: int) -> None:
        """Begins with nothing."""
        self._stream = stream
        self._penchant.fit(stream, until)

    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        """See `PenchantRecommender.scores`."""
        return self._penchant.scores(user, at_us, context)

    def learn(self, position: int) -> None:
        """Learns the event, and refreshes if a look finds enough new ones."""
        self._penchant.learn(position)
        known = position + 1
        if known % self._look_every == 0 and is_due(known - self._learnt, known):
            assert self._stream is not None
            self._penchant.fit(self._stream, known)
            self._learnt = known
            self.refreshed_at.append(known)


def clock_with_memory(config: Config) -> Refresh:
    """A refresh as a clock does it: the weights stay until the log has grown enough."""
    memory, settings = RefreshMemory(), RefreshSettings()

    def refresh(stream: Stream, until: int, texts: Matrix) -> RefreshedCatalog:
        known = memory.weights(until, settings, config)
        fresh = learn_catalog(outcomes_before(stream, until), texts, settings, config, known)
        if known is None:
            memory.keep(fresh.learnt, until, settings, config)
        return fresh

    return refresh


@dataclass(frozen=True, slots=True)
class WindowComparison:
    """Recall and NDCG of a window of rankings, and the difference to popularity."""

    events: int
    """Events before the window's last ranking."""
    recall: dict[str, float]
    """recall@10 by recommender."""
    ndcg: dict[str, float]
    """NDCG@10 by recommender."""
    recall_gain: tuple[float, float]
    """95 % interval of Penchant's recall less popularity's."""
    ndcg_gain: tuple[float, float]
    """The same of NDCG."""

    @property
    def certainly_below(self) -> bool:
        """Whether Penchant is certainly below popularity in either."""
        return self.recall_gain[1] < 0 or self.ndcg_gain[1] < 0


def compare(
    results: Sequence[ReplayResult], positions: Int64, user: Int64
) -> list[WindowComparison]:
    """Compares each window of `WINDOW` rankings; Penchant first, popularity second."""
    values = [
        np.stack([metrics.recall(one.rank, K), metrics.ndcg(one.rank, K)], 1) for one in results
    ]
    windows = []
    for start in range(0, len(positions) - WINDOW // 2, WINDOW):
        part = slice(start, start + WINDOW)
        recall, ndcg = metrics.estimates(values[0][part] - values[1][part], user[part], SEED)
        windows.append(
            WindowComparison(
                events=int(positions[part][-1]),
                recall={
                    r.name: float(v[part, 0].mean()) for r, v in zip(results, values, strict=True)
                },
                ndcg={
                    r.name: float(v[part, 1].mean()) for r, v in zip(results, values, strict=True)
                },
                recall_gain=(recall.low, recall.high),
                ndcg_gain=(ndcg.low, ndcg.high),
            )
        )
    return windows


def run(
    stream: Stream, config: Config, vectors: Matrix, look_every: int, every: int = 1
) -> tuple[list[WindowComparison], list[int]]:
    """Replays a stream from its first event for Penchant, popularity, and Penchant without a clock.

    Args:
        stream: the log.
        config: settings of the server.
        vectors: text vectors of the items.
        look_every: events between two looks of the clock.
        every: rank before one in this many good ratings.
    """
    replay_config = ReplayConfig(train_fraction=0.0, refresh_every=0, every=every)
    targets = choose_targets(stream, replay_config)
    clocked = Clocked(PenchantRecommender(config, vectors, clock_with_memory(config)), look_every)
    recommenders: list[Recommender] = [
        clocked,
        MostPopular(),
        PenchantRecommender(config, vectors, name="never refreshed"),
    ]
    results = [replay(stream, one, targets, replay_config) for one in recommenders]
    windows = compare(results, targets.positions, stream.user[targets.positions])
    return windows, clocked.refreshed_at


def table(windows: Sequence[WindowComparison]) -> TextTable:
    """The windows, one a row."""
    names = list(windows[0].recall)
    return TextTable(
        "The first hour: recall@10 and NDCG@10 of each 2,000 rankings",
        ["ratings", *names, "gain, 95 %", *(f"{n}, NDCG" for n in names), "gain, 95 %"],
        [
            [
                f"{one.events:,}",
                *(f"{one.recall[name]:.3f}" for name in names),
                f"{one.recall_gain[0]:+.3f} to {one.recall_gain[1]:+.3f}",
                *(f"{one.ndcg[name]:.3f}" for name in names),
                f"{one.ndcg_gain[0]:+.3f} to {one.ndcg_gain[1]:+.3f}",
            ]
            for one in windows
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path, default=Path(".penchant/encoder"))
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--look-every", type=int, default=1000)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path("out"))
    options = parser.parse_args()
    stream = read_stream(options.events)
    config = parse({"store": "memory:", "encoder": str(options.encoder)})
    encoder = OnnxEncoder.load(config.encoder, threads=1)
    vectors = encoder.encode([item.text for item in stream.items])
    windows, refreshed_at = run(stream, config, vectors, options.look_every, options.every)
    Console(width=160).print(rendered(table(windows)))
    below = sum(one.certainly_below for one in windows)
    print(f"{len(refreshed_at)} refreshes; certainly below popularity in {below} windows.")
    figures = {"windows": [asdict(one) for one in windows], "refreshed_at": refreshed_at}
    write_whole(options.output / f"first_hour-{options.events}.json", as_json(figures))
    draw(windows, refreshed_at, options.output / f"first_hour-{options.events}.png")


if __name__ == "__main__":
    main()
