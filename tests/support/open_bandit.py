"""Samples of the Open Bandit Dataset and estimators, both from the wheel of obp.

Y. Saito, S. Aihara, M. Matsutani and Y. Narita, "Open Bandit Dataset and Pipeline", 2021.
"""

from __future__ import annotations

import sys
import warnings
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from penchant.evaluation.ope.logged_impressions import (
    ImpressionColumns,
    LoggedImpressions,
    read_impressions,
)
from penchant.logs.open_table import open_table

COLUMNS = ImpressionColumns(
    action="item_id",
    reward="click",
    propensity="propensity_score",
    position="position",
    context=("user_feature_0", "user_feature_1"),
)


def sample_file(policy: str, campaign: str) -> Path:
    """The log of a policy (random, bts) on a campaign (all, men, women): 10,000 impressions."""
    name = f"obp/dataset/obd/{policy}/{campaign}/{campaign}.csv"
    return Path(str(metadata.distribution("obp").locate_file(name)))


@cache
def sample(policy: str, campaign: str) -> LoggedImpressions:
    """The impressions of that log."""
    table = open_table(sample_file(policy, campaign))
    try:
        return read_impressions(table, COLUMNS)
    finally:
        table.close()


@cache
def estimators() -> Any:
    """The module `obp.ope.estimators`, without its package, which would import plotting."""
    package = ModuleType("obp.ope")
    package.__path__ = [str(metadata.distribution("obp").locate_file("obp/ope"))]
    sys.modules.setdefault("obp.ope", package)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module("obp.ope.estimators")
