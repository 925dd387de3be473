"""How good are rankings by how much a user has done, with every first ranking of a user?

`python -m benchmarks.by_history --encoder DIR [--dataset movielens-1m --refresh-every 100000]`

An even sample of all rankings holds few of users without a history. This replays a log with nothing
set, and ranks for every first relevant rating of a user and for some of the later ones, drawn at
random, more of the early ones; both popularities rank for the same. The intervals of the gain over
the better of the two are by user, 95 %.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from penchant.config import Config, parse
from penchant.evaluation.baselines import make
from penchant.evaluation.metrics import estimates, ndcg, recall
from penchant.evaluation.penchant import PenchantRecommender, middle_clock
from penchant.evaluation.recommender import Recommender
from penchant.evaluation.replay import TOP, replay
from penchant.evaluation.replay_log import ReplayLog
from penchant.evaluation.targets import EvaluationTargets, ReplayConfig, choose_targets
from penchant.logs.log_source import LogSource

SEED = 1
BANDS = (0, 1, 2, 3, 4, 6, 11, 21)
"""Events of a user from which each band begins."""
MOST_OF_BAND = 2500
"""Rankings of a band, at most."""
PEERS = ("popularity", "decayed-popularity")


def some_of_each_band(targets: EvaluationTargets, seed: int) -> EvaluationTargets:
    """At most `MOST_OF_BAND` targets of each band, drawn at random, in time order."""
    rng = np.random.default_rng(seed)
    band = np.searchsorted(BANDS, targets.earlier, side="right")
    drawn = [rng.permutation(np.flatnonzero(band == one))[:MOST_OF_BAND] for one in np.unique(band)]
    kept = np.sort(np.concatenate(drawn))
    return targets.taken(kept)


def measure(config: Config, dataset: str, replay_config: ReplayConfig) -> list[str]:
    """One row per band: rankings, recall and NDCG of each, and the gains."""
    judged = ReplayLog(LogSource(dataset=dataset)).read_for(config, "nothing to replay")
    stream = judged.stream
    targets = some_of_each_band(choose_targets(stream, replay_config), SEED)
    penchant = PenchantRecommender.load(
        judged.config, stream, middle_clock(learn_for=judged.config)
    )
    compared: list[Recommender] = [penchant, *(make(name, SEED) for name in PEERS)]
    with threadpool_limits(1):
        ranks = [replay(stream, one, targets, replay_config).rank for one in compared]
    values = np.stack([np.stack([recall(rank, TOP), ndcg(rank, TOP)], 1) for rank in ranks])
    user = stream.user[targets.positions]
    rows = []
    for first, end in zip(BANDS, (*BANDS[1:], np.inf), strict=True):
        inside = (targets.earlier >= first) & (targets.earlier < end)
        means = values[:, inside].mean(axis=1)
        best = 1 + int(means[1:, 1].argmax())
        gains = estimates((values[0] - values[best])[inside], user[inside], SEED)
        cells = [f"{one[0]:.3f} / {one[1]:.3f}" for one in means]
        spans = [f"{gain.low:+.3f} to {gain.high:+.3f}" for gain in gains]
        name = _band_name(first, end)
        rows.append(" | ".join([name, f"{inside.sum():,}", *cells, *spans]))
    return rows


def _band_name(first: int, end: float) -> str:
    if end == np.inf:
        return f"{first} and more"
    return f"{first}" if end == first + 1 else f"{first} to {int(end) - 1}"


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path, required=True, help="an exported encoder")
    parser.add_argument("--dataset", default="movielens", help="movielens or movielens-1m")
    parser.add_argument("--refresh-every", type=int, default=5000, help="events between refreshes")
    options = parser.parse_args()
    config = parse({"store": "memory:", "encoder": str(options.encoder)})
    replay_config = ReplayConfig(refresh_every=options.refresh_every)
    print("events before | rankings | Penchant | " + " | ".join(PEERS) + " | gain: recall | NDCG")
    print("\n".join(measure(config, options.dataset, replay_config)))


if __name__ == "__main__":
    main()
