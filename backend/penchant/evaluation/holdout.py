"""Items kept back until training ends, to see what new items get."""

from __future__ import annotations

import dataclasses

import numpy as np

from penchant.domain.errors import ConfigError
from penchant.evaluation.targets import ReplayConfig
from penchant.logs.stream import Stream, part_of


def hold_out(
    stream: Stream, plan: ReplayConfig, share: float, seed: int
) -> tuple[Stream, ReplayConfig]:
    """The stream as if some items had been put only when training ends, and the plan for it.

    Args:
        stream: the events; those about the chosen items in the training part are dropped.
        plan: what the training part is.
        share: of the items, 0 or more, below 1; drawn at random, whatever their events.
        seed: of the draw.

    Raises:
        ConfigError: the share is out of its range, or nothing is left to train on.
    """
    if not 0 <= share < 1:
        raise ConfigError(f"hold_out_items: got {share}, expected 0 or more, below 1")
    items, start = len(stream.items), plan.start(stream)
    chosen = np.random.default_rng(seed).permutation(items)[: int(share * items)]
    dropped = np.isin(stream.item, chosen)
    dropped[start:] = False
    kept = np.flatnonzero(~dropped)
    left = start - int(dropped.sum())
    if start and not left:
        raise ConfigError(f"hold_out_items: got {share}, which leaves no event to train on")
    put_at = stream.put_at.copy()
    put_at[chosen] = left
    shorter = dataclasses.replace(part_of(stream, kept), put_at=put_at)
    # Half an event more, so that rounding can't lose the last one.
    return shorter, dataclasses.replace(plan, train_fraction=(left + 0.5) / len(kept))
