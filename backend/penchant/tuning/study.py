"""The search: Optuna's TPE, kept in a file that outlives the process.

J. Bergstra et al., "Algorithms for hyper-parameter optimization", 2011. A trial depends only on
the seed and on the trials before it, so a search that was killed resumes with exactly the trials it
would have run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.samplers import TPESampler
from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy.exc import SQLAlchemyError

from penchant.domain.errors import ConfigError
from penchant.tuning.space import SearchParameter, first_values

_STUDY, _TASK = "penchant", "task"
_LEAST_TRIALS = 20
"""With fewer trials, importance means nothing."""

Task = Mapping[str, str]
"""Everything that a trial's result depends on, by readable names."""


@dataclass(frozen=True, slots=True)
class CompletedTrial:
    """A trial that is done."""

    values: dict[str, float]
    metric: float


class Study:
    """The trials of one search."""

    def __init__(self, study: optuna.Study, space: Sequence[SearchParameter], seed: int) -> None:
        self._study, self._space, self._seed = study, tuple(space), seed
        self._distributions: dict[str, BaseDistribution] = {
            one.name: _distribution(one) for one in space
        }

    def done(self) -> list[CompletedTrial]:
        """All completed trials in order; the first one tried the first values."""
        return [self._completed(trial) for trial in self._complete()]

    def best(self) -> CompletedTrial:
        """The best trial, the earliest of equals; ValueError before the first is done."""
        return max(self.done(), key=lambda trial: trial.metric)

    def search(
        self,
        objective: Callable[[Mapping[str, float]], float],
        trials: int,
        limit_s: float,
        on_trial: Callable[[CompletedTrial], None] = lambda trial: None,
    ) -> None:
        """Runs trials until `trials` are done, or one ends after `limit_s` seconds.

        Args:
            objective: maps rounded values to a finite metric.
            trials: number of trials in all, earlier runs included.
            limit_s: seconds of this run.
            on_trial: called with each completed trial.
        """
        began_s = time.monotonic()
        number = len(self._complete())
        while number < trials and time.monotonic() - began_s < limit_s:
            on_trial(self._try(objective, number))
            number += 1

    def importance(self) -> dict[str, float]:
        """Importance of each parameter for a trial's metric, largest first; sums to 1.

        S. Watanabe, A. Bansal and F. Hutter, "PED-ANOVA", 2023. Empty for fewer than 20 trials or
        two parameters, and if all trials are equally good.
        """
        metrics = [trial.value for trial in self._complete()]
        if len(metrics) < _LEAST_TRIALS or len(set(metrics)) == 1 or len(self._space) == 1:
            return {}
        return optuna.importance.get_param_importances(self._study)

    def _try(
        self, objective: Callable[[Mapping[str, float]], float], number: int
    ) -> CompletedTrial:
        if number == 0:
            params = {one.name: int(one.start) if one.whole else one.start for one in self._space}
            value = objective(first_values(self._space))
            self._study.add_trial(
                create_trial(params=params, distributions=self._distributions, value=value)
            )
            return CompletedTrial(first_values(self._space), value)
        words = np.random.SeedSequence([self._seed, number]).generate_state(1)
        self._study.sampler = TPESampler(seed=int(words[0]))
        trial = self._study.ask(self._distributions)
        values = self._readable(trial.params)
        try:
            value = objective(values)
        except BaseException:
            self._study.tell(trial, state=TrialState.FAIL)
            raise
        self._study.tell(trial, value)
        return CompletedTrial(values, value)

    def _complete(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))

    def _completed(self, trial: FrozenTrial) -> CompletedTrial:
        assert trial.value is not None
        return CompletedTrial(self._readable(trial.params), trial.value)

    def _readable(self, params: Mapping[str, float]) -> dict[str, float]:
        return {one.name: one.readable(params[one.name]) for one in self._space}


@contextmanager
def open_study(
    file: Path | None, task: Task, space: Sequence[SearchParameter], seed: int
) -> Iterator[Study]:
    """Opens the study in a file, or starts a new one; one process at a time.

    Args:
        file: SQLite file; None: the study is kept in memory and lost at the end.
        task: everything the trials depend on; must equal the task that the study was begun with.
        space: parameters to search.
        seed: seed of the search, 0 or more.

    Raises:
        ConfigError: the file holds the study of another task, or is not such a file.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage: BaseStorage = InMemoryStorage()
    if file is not None:
        try:
            storage = RDBStorage(f"sqlite:///{file.resolve()}")
        except (SQLAlchemyError, RuntimeError) as error:
            raise ConfigError(
                f"--storage: {file} can't be used as a search's SQLite file: {error}"
            ) from error
    try:
        study = optuna.create_study(
            storage=storage, study_name=_STUDY, direction="maximize", load_if_exists=True
        )
        _require_same(study, task, file)
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            study.tell(trial.number, state=TrialState.FAIL)  # A kill cut it off.
        yield Study(study, space, seed)
    finally:
        if isinstance(storage, RDBStorage):
            storage.engine.dispose()


def _require_same(study: optuna.Study, task: Task, file: Path | None) -> None:
    known = study.user_attrs.get(_TASK)
    if known is None:
        study.set_user_attr(_TASK, dict(task))
        return
    other = [name for name in sorted({*known, *task}) if known.get(name) != task.get(name)]
    if other:
        raise ConfigError(
            f"--storage: {file} holds a search that was begun with another {', '.join(other)}; "
            "use the same, or name another file"
        )


def _distribution(parameter: SearchParameter) -> BaseDistribution:
    if parameter.whole:
        return IntDistribution(int(parameter.low), int(parameter.high), log=True)
    return FloatDistribution(parameter.low, parameter.high, log=True)
