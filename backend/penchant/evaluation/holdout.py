"""Items held out of the training part, to measure how new items fare."""

from __future__ import annotations

import dataclasses

import numpy as np

from penchant.domain.errors import ConfigError
from penchant.evaluation.targets import ReplayConfig
from penchant.logs.stream import Stream, part_of


def hold_out(
    stream: Stream, replay_config: ReplayConfig, share: float, seed: int
) -> tuple[Stream, ReplayConfig]:
    """Makes a stream in which some items first appear when training ends.

    Args:
        stream: the events; those in the training part about a chosen item are dropped.
        replay_config: says where the training part ends.
        share: share of the items to hold out, 0 to below 1; drawn at random.
        seed: seed of the draw.

    Returns:
        The shorter stream, and the replay configuration with the training part shortened alike.

    Raises:
        ConfigError: the share is out of range, or no event is left to train on.
    """
    if not 0 <= share < 1:
        raise ConfigError(f"hold_out_items: got {share}, expected 0 or more, below 1")
    items, start = len(stream.items), replay_config.start(stream)
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
    # Half an event more, so that rounding down can't lose the last one.
    fraction = (left + 0.5) / len(kept)
    return shorter, dataclasses.replace(replay_config, train_fraction=fraction)
