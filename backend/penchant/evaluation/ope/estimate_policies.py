"""Off-policy evaluation as one job: read a log and a candidate, fit the reward model, estimate."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from penchant.domain.errors import ConfigError
from penchant.evaluation.ope import policies
from penchant.evaluation.ope.action_probabilities import read_probabilities
from penchant.evaluation.ope.logged_impressions import ImpressionColumns, read_impressions
from penchant.evaluation.ope.policies import RewardModelSettings
from penchant.evaluation.ope.policy_value import (
    EstimatorSettings,
    PolicyEstimates,
    estimate_value,
)
from penchant.logs.open_table import open_table
from penchant.system.option_types import FLAT


@dataclass(frozen=True, slots=True)
class OpeRequest:
    """A log of impressions, and one candidate: a policy by name, a file, or a column of the log."""

    file: Path
    """File of impressions."""
    _: KW_ONLY
    policy: Annotated[str, Parameter(show_default=False)] = ""
    """The candidate: uniform, popularity or softmax."""
    action_probabilities: Path | None = None
    """The candidate: a file of action, probability (and position, impression)."""
    columns: Annotated[ImpressionColumns, FLAT] = ImpressionColumns()
    format: Annotated[
        str | None, Parameter(metavar="NAME", show_default=lambda _: "by the file's name")
    ] = None
    """Format of the file: csv, tsv, jsonl or parquet."""
    estimators: Annotated[EstimatorSettings, FLAT] = EstimatorSettings()
    model: Annotated[RewardModelSettings, FLAT] = RewardModelSettings()


def estimate_policies(request: OpeRequest) -> PolicyEstimates:
    """Estimates what a candidate policy would have earned, from another policy's log.

    Raises:
        ConfigError: the request names no candidate or several; a file can't be read, holds nothing
            of use, or does not fit the other; or scikit-learn is missing and the candidate needs
            the reward model.
    """
    columns, by_file = request.columns, request.action_probabilities
    if (bool(request.policy), by_file is not None, bool(columns.candidate)).count(True) != 1:
        raise ConfigError(
            "candidate: name one of --policy, --action-probabilities and --candidate-column"
        )
    with open_table(request.file, request.format) as table:
        log = read_impressions(table, columns)
    if request.policy:
        candidate, q = policies.from_policy(log, request.policy, request.model)
    elif by_file is not None:
        with open_table(by_file) as table:
            found = read_probabilities(table)
        log, candidate, q = policies.from_file(log, found, request.model)
    else:
        candidate, q = policies.from_column(log), None
    return estimate_value(log, candidate, q, request.estimators)
