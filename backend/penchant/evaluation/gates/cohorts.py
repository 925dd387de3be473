"""Cohorts: rankings judged apart, so that gains of the many can't hide losses of the few."""

from __future__ import annotations

import numpy as np

from penchant.domain.arrays import Mask
from penchant.evaluation.attribute_calibration import attribute_shares, attribute_values
from penchant.evaluation.targets import EvaluationTargets
from penchant.logs.stream import Stream

NEW = 5
"""Users and items with fewer earlier events are new."""


def usual_cohorts(stream: Stream, targets: EvaluationTargets) -> dict[str, Mask]:
    """Masks of the n targets of new users, of heavy users and of new items, shape (n,) each.

    Heavy users are the tenth with the most events in the whole log, ties included.
    """
    events = np.bincount(stream.user, minlength=len(stream.users))
    tenth = -(-len(events) // 10)
    least = np.sort(events)[-tenth]
    return {
        "new users": targets.earlier < NEW,
        "heavy users": events[stream.user[targets.positions]] >= least,
        "new items": targets.item_age < NEW,
    }


def attribute_cohorts(
    stream: Stream, targets: EvaluationTargets, attribute: str
) -> dict[str, Mask]:
    """Masks of the n targets about items with each value of an attribute, sorted by value.

    Raises:
        ConfigError: no item has the attribute.
    """
    item = stream.item[targets.positions]
    having = attribute_shares(stream.items, attribute) > 0
    names = attribute_values(stream.items, attribute)
    columns = zip(names, having.T, strict=True)
    return {f"{attribute} = {name}": column[item] for name, column in sorted(columns, key=_name)}


def _name(column: tuple[str, Mask]) -> str:
    return column[0]
