"""What popularity adds for a user with a short history, besides what it adds for everybody.

    a_0 (c_open b_i - g_i (c_tail b_i + l))

a_0 fades with the user's own events (`penchant.domain.neighbours`), b_i is the item's live offset.
Where items come and go, as on a job board, what is liked now is nearly all that can be said to a
stranger, and should weigh less for users with a history (c_open, which
`penchant.refresh.young_users` learns). The long tail's weights are taken back in the same measure
(`penchant.domain.long_tail`).
"""

from __future__ import annotations

import numpy as np

from penchant.domain.settings import FoldSettings
from penchant.domain.types import Vector


def beginners_part(offsets: Vector, tail: Vector, begun: float, settings: FoldSettings) -> Vector:
    """The equation of this module, shape (n,).

    Args:
        offsets: b_i, shape (n,).
        tail: g_i of `penchant.domain.long_tail`, shape (n,).
        begun: a_0.
        settings: the score's weights.

    >>> settings = FoldSettings(opening_offset_weight=4.0, tail_offset_weight=2.0, tail_lift=1.0)
    >>> half = np.array([0.5], np.float32)
    >>> [beginners_part(half, half, begun, settings).tolist() for begun in (1.0, 0.25, 0.0)]
    [[1.0], [0.25], [0.0]]
    """
    withheld = np.float32(settings.tail_offset_weight) * offsets + np.float32(settings.tail_lift)
    more = np.float32(settings.opening_offset_weight) * offsets
    part: Vector = np.float32(begun) * (more - tail * withheld)
    return part
