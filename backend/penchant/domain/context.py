"""The context of events, and how much an event counts in another context.

The weight of an event (equation 3 of `penchant.domain.interest`) is multiplied by the kernel

    k(c_t, c) = 2^(-context_halvings * m),   m = differing keys / keys that both contexts have

with c_t the event's context and c the ranking's. It is an exponential kernel in the Hamming
distance, of width 1 / context_halvings (J. Aitchison and C. G. G. Aitken, "Multivariate binary
discrimination by the kernel method", 1976, eq. 2). A user may thus be one person in the morning and
another at night. A key that only one of the contexts has does not count; without a key in common,
the weight is unchanged.
"""

from __future__ import annotations

import functools
import hashlib

import numpy as np
from numpy.typing import NDArray

from penchant.domain.settings import FoldSettings
from penchant.domain.types import Context

CONTEXT_SLOTS = 5
"""Entries of a context that count: the first ones in order of their keys."""

Slots = NDArray[np.uint32]
"""A context as a window holds it, shape (5,), or one per row, shape (n, 5).

Each entry is 16 bits of its key's digest, followed by 16 bits of its value's; 0 means no entry.
"""


_NOWHERE = np.zeros(CONTEXT_SLOTS, np.uint32)
_NOWHERE.flags.writeable = False


def nowhere() -> Slots:
    """The slots of no context, as a read-only array."""
    return _NOWHERE


def as_slots(context: Context) -> Slots:
    """`slots_of` as an array, shape (5,)."""
    return np.array(slots_of(context), np.uint32) if context else _NOWHERE


def slots_of(context: Context) -> tuple[int, ...]:
    """The five slots of a context.

    >>> slots_of(())
    (0, 0, 0, 0, 0)
    >>> slots_of((("room", "kitchen"),))[0] == slots_of((("room", "kitchen"),))[0] != 0
    True
    """
    filled = [_slot(key, value) for key, value in context[:CONTEXT_SLOTS]]
    return (*filled, *(0,) * (CONTEXT_SLOTS - len(filled)))


def context_digest(slots: Slots, settings: FoldSettings) -> int:
    """A 64-bit digest of a context; 0 if the fold ignores contexts, or there is none."""
    if settings.context_halvings == 0 or not slots.any():
        return 0
    return int.from_bytes(hashlib.blake2b(slots.tobytes(), digest_size=8).digest(), "little") | 1


def kernel(slots: Slots, now: Slots, settings: FoldSettings) -> NDArray[np.float64] | None:
    """The kernel for n events, 0 to 1, shape (n,); None if it is 1 for all.

    Args:
        slots: the events' contexts, shape (n, 5).
        now: the ranking's context, shape (5,), or one per event, shape (n, 5).
        settings: holds `context_halvings`.
    """
    if settings.context_halvings == 0 or not now.any():
        return None
    here = np.broadcast_to(now, slots.shape)[:, None, :]
    there = slots[:, :, None]
    named = ((here >> 16) == (there >> 16)) & (here != 0) & (there != 0)
    both = named.sum(axis=(1, 2))
    differing = (named & (here != there)).sum(axis=(1, 2))
    share = differing / np.maximum(both, 1)
    weights: NDArray[np.float64] = np.exp2(-settings.context_halvings * share)
    return weights


@functools.lru_cache(maxsize=4096)
def _slot(key: str, value: str) -> int:
    return _sixteen_bits(key) << 16 | _sixteen_bits(value)


def _sixteen_bits(text: str) -> int:
    """A digest from 1 to 65,535; two texts collide with probability 1 in 65,535."""
    digest = hashlib.blake2b(text.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little") % 65535 + 1
