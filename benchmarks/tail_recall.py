"""How items with few events are found, and at which cost to the others.

`python -m benchmarks.tail_recall --encoder DIR`

Replays MovieLens-100K with nothing set and ranks for every `--few-every`-th relevant rating of a
film with fewer than five ratings at the time, and for one in `--every` of the others, weighted as
they occur. `--without` leaves the weights of such films at 0.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from penchant.config import Config, parse
from penchant.domain.long_tail import FEW, TAIL_SETTINGS
from penchant.evaluation.holdout import hold_out
from penchant.evaluation.metrics import ndcg, recall
from penchant.evaluation.penchant import PenchantRecommender, middle_clock
from penchant.evaluation.replay import TOP, replay
from penchant.evaluation.replay_log import ReplayLog
from penchant.evaluation.targets import EvaluationTargets, ReplayConfig, choose_targets
from penchant.logs.log_source import LogSource

SEED = 1
DEEP = 50


def spread(targets: EvaluationTargets, few_every: int, every: int) -> EvaluationTargets:
    """Every so many of the targets with few events, and of the others, in time order."""
    few = targets.item_age < FEW
    kept = np.sort(np.append(np.flatnonzero(few)[::few_every], np.flatnonzero(~few)[::every]))
    return targets.taken(kept)


def measure(config: Config, held_out: float, few_every: int, every: int) -> dict[str, float]:
    """The figures by name; recall is of the first ten and of the first fifty."""
    judged = ReplayLog(LogSource(dataset="movielens")).read_for(config, "nothing to replay")
    stream, replay_config = hold_out(judged.stream, ReplayConfig(), held_out, SEED)
    all_targets = choose_targets(stream, replay_config)
    targets = spread(all_targets, few_every, every)
    recommender = PenchantRecommender.load(
        judged.config, stream, middle_clock(learn_for=judged.config)
    )
    with threadpool_limits(1):
        rank = replay(stream, recommender, targets, replay_config).rank
    few = targets.item_age < FEW
    share = float((all_targets.item_age < FEW).mean())
    weight = np.where(few, share / few.sum(), (1 - share) / (~few).sum())
    return {
        "rankings": len(rank),
        "of few": int(few.sum()),
        "recall@10": float(weight @ recall(rank, TOP)),
        "NDCG@10": float(weight @ ndcg(rank, TOP)),
        "recall@50": float(weight @ recall(rank, DEEP)),
        "recall@50 of few": float(recall(rank[few], DEEP).mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path, required=True, help="an exported encoder")
    parser.add_argument("--hold-out-items", type=float, default=0.0, help="share of new films")
    parser.add_argument("--few-every", type=int, default=2, help="one in this many of few ratings")
    parser.add_argument("--every", type=int, default=20, help="one in this many of the others")
    parser.add_argument("--without", action="store_true", help="no weights of their own")
    options = parser.parse_args()
    settings = {"store": "memory:", "encoder": str(options.encoder)}
    if options.without:
        settings |= dict.fromkeys(TAIL_SETTINGS, "0")
    found = measure(parse(settings), options.hold_out_items, options.few_every, options.every)
    print(json.dumps({name: round(value, 4) for name, value in found.items()}))


if __name__ == "__main__":
    main()
