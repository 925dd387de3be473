"""One search from a request: read the log, cut off its training part, and try settings on it."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from cyclopts import Parameter
from cyclopts.validators import Number

from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.encoder.source import default_source
from penchant.evaluation.fingerprint import fingerprint
from penchant.evaluation.metrics import MeanInterval, estimates
from penchant.evaluation.model_settings import ModelSettings, config_of
from penchant.evaluation.replay_log import OnLog, ReplayLog, ignore_log
from penchant.evaluation.targets import ReplayConfig
from penchant.logs.stream import Stream, first_events
from penchant.report.page import check_writable
from penchant.system.option_types import FLAT, Flag, Pairs, Repeated, pairs_of
from penchant.system.optional_package import needs_extra
from penchant.system.progress import Progress, no_progress
from penchant.tuning.space import (
    CONTEXT_HALVINGS,
    REFRESHED,
    ParameterGroup,
    SearchParameter,
    choose,
    starting_from,
)

if TYPE_CHECKING:
    from penchant.tuning.objective import SearchObjective, Vectors
    from penchant.tuning.study import CompletedTrial, Study

_SEARCH = "The search"


def _all_in_use(_: Any) -> str:
    return "all that are in use and not set"


def _default_encoder(_: Any) -> str:
    return "all-MiniLM-L6-v2"


@dataclass(frozen=True, slots=True)
class TuningRequest:
    """A log, a model, and the search for its settings."""

    log: Annotated[ReplayLog, FLAT] = ReplayLog()
    model: Annotated[ModelSettings, FLAT] = ModelSettings()
    start: Annotated[Pairs, Parameter(name="--start", group=_SEARCH)] = ()
    """A setting at which the search begins, such as those in use; repeatable."""
    train_fraction: float = 0.3
    """Share of the events, the oldest, to search on, above 0 to 1; nothing later is read."""
    every: int = 1
    """Rank for one in this many relevant events, starting with the first."""
    refresh: Flag = False
    """Let item vectors learn at each fit, as `penchant refresh` does."""
    refresh_every: int = 5000
    """Refresh again after this many events; 0: never."""
    candidates: str = "unseen"
    """unseen: items that the user has no event about yet; all: the whole catalog."""
    trials: Annotated[int, Parameter(validator=Number(gte=1), group=_SEARCH)] = 100
    """Number of trials in all, earlier runs included, 1 or more."""
    minutes: Annotated[float | None, Parameter(validator=Number(gte=0), group=_SEARCH)] = None
    """Start no trial after this many minutes; default: no limit."""
    storage: Annotated[Path | None, Parameter(group=_SEARCH)] = None
    """SQLite file that keeps the trials, so that the same command resumes the search."""
    parameters: Annotated[
        Repeated,
        Parameter(name="--parameter", metavar="NAME", show_default=_all_in_use, group=_SEARCH),
    ] = ()
    """Search this parameter only; repeatable."""
    metric: Annotated[str, Parameter(group=_SEARCH)] = "ndcg@10"
    """Metric to maximise: ndcg@K, recall@K or mrr."""
    finetune: Annotated[Flag, Parameter(group=_SEARCH)] = False
    """Fine-tune an encoder in each trial, which takes minutes each."""
    finetune_steps: Annotated[int, Parameter(validator=Number(gte=0), group=_SEARCH)] = 100
    """With --finetune: upper limit of training steps, 0 or more; 0: only the projection learns."""
    source: Annotated[Path | None, Parameter(show_default=_default_encoder, group=_SEARCH)] = None
    """With --finetune: Hugging Face directory of the encoder to start from."""
    seed: Annotated[int, Parameter(validator=Number(gte=0), group=_SEARCH)] = 1
    """Seed of the search, 0 or more."""

    @property
    def fixed(self) -> Mapping[str, str]:
        """Settings that stay as the user gave them, by name."""
        return pairs_of("--set", self.model.settings)

    def config(self) -> Config:
        """The settings at which the search begins: given, kept in the store, or defaults.

        Raises:
            ConfigError: one is unknown or out of range.
        """
        refreshed = [f"{name}={text}" for name, text in REFRESHED.items() if self.refresh]
        given = (*refreshed, *self.start, *self.model.settings)
        return config_of(self.model.encoder, given, self.log.source.store)


@dataclass(frozen=True, slots=True)
class SearchStart:
    """The size of a search, known before its first trial."""

    trained_events: int
    """Events that each trial learns before its first ranking."""
    rankings: int
    """Rankings of each trial."""
    ranked_events: int
    """Events of the part that is ranked for."""
    done: list[CompletedTrial]
    """Trials of earlier runs."""


@dataclass(frozen=True, slots=True)
class TuningGain:
    """The metric of the first and of the best settings, on the part that chose them."""

    first: MeanInterval
    """The settings at which the search began."""
    best: MeanInterval
    gain: MeanInterval
    """Best minus first, ranking by ranking."""

    @property
    def is_doubtful(self) -> bool:
        """Whether the interval of the gain holds zero."""
        return self.gain.low <= 0 <= self.gain.high


@dataclass(frozen=True, slots=True)
class TuningResult:
    """The outcome of a search."""

    space: tuple[SearchParameter, ...]
    """Parameters that were searched."""
    trials: list[CompletedTrial]
    """All trials in order, earlier runs included."""
    new_trials: int
    """Trials of this run."""
    seconds: float
    """Duration of this run's trials."""
    interrupted: bool
    """Whether the user stopped the search."""
    best: CompletedTrial | None
    """The best trial, the earliest of equals; None without trials."""
    importance: dict[str, float]
    """Importance of each parameter, largest first; empty if unknown."""
    gain: TuningGain | None
    """Gain of the best settings; None without trials, or after an interruption."""


def tune(
    request: TuningRequest,
    *,
    on_log: OnLog = ignore_log,
    on_start: Callable[[SearchStart], None] = lambda start: None,
    on_trial: Callable[[CompletedTrial], None] = lambda trial: None,
    progress: Progress = no_progress,
) -> TuningResult:
    """Searches the settings that rank best on the oldest part of a log.

    Each trial replays the part as `penchant evaluate` does: it learns the older two thirds, and
    ranks for the newer third. Settings given by the request stay, the others begin at `start`, at
    those that the store keeps, or at their defaults. Ctrl-C ends the search, not the call: the
    result covers the trials that are done.

    Args:
        request: the log, the model and the search.
        on_log: called once the log is read.
        on_start: called before the first trial.
        on_trial: called with each trial of this run.
        progress: called as each step besides the trials advances.

    Raises:
        ConfigError: an option is out of range, a file can't be read or written, a package is
            missing, or no event can be ranked for.
    """
    with needs_extra("tune", "tune"):  # Only here: the import takes a moment.
        from penchant.tuning.study import open_study
    from penchant.tuning.objective import FIT_FRACTION, RankingMetric, SearchObjective

    config, metric = request.config(), RankingMetric(request.metric)
    replay_config = ReplayConfig(
        FIT_FRACTION, request.every, request.refresh_every, request.candidates
    )
    space = starting_from(_space(request), config)
    if request.storage is not None:
        check_writable(request.storage, "--storage")
    progress("Reading the log", 0.0)
    part = _training_part(request, request.log.read(config.signals, "nothing to tune on", on_log))
    space = _informed(space, part)
    progress("Reading the log", 1.0)
    progress("Reading the encoder", 0.0)
    vectors, version = _vectors(request, part, replay_config)
    progress("Reading the encoder", 1.0)
    objective = SearchObjective(part, replay_config, config, vectors, metric, request.refresh)
    task = _task(request, replay_config, space, part, version)
    with open_study(request.storage, task, space, request.seed) as study:
        start, earlier = replay_config.start(part), study.done()
        on_start(SearchStart(start, objective.rankings, len(part.events) - start, earlier))
        began_s = time.monotonic()
        interrupted = _search(request, study, objective, on_trial)
        seconds = time.monotonic() - began_s
        trials = study.done()
        gain = None
        if trials and not interrupted:
            progress("Measuring the first and the best settings again", 0.0)
            gain = _gain(objective, trials[0], study.best(), request.seed)
            progress("Measuring the first and the best settings again", 1.0)
        return TuningResult(
            space=space,
            trials=trials,
            new_trials=len(trials) - len(earlier),
            seconds=seconds,
            interrupted=interrupted,
            best=study.best() if trials else None,
            importance=study.importance(),
            gain=gain,
        )


def _space(request: TuningRequest) -> tuple[SearchParameter, ...]:
    groups = [ParameterGroup.SERVER]
    groups += [ParameterGroup.REFRESH] if request.refresh else []
    groups += [ParameterGroup.FINETUNE] if request.finetune else []
    return choose(request.parameters, groups, tuple(request.fixed))


def _training_part(request: TuningRequest, stream: Stream) -> Stream:
    from penchant.tuning.objective import training_part

    return training_part(stream, request.train_fraction)


def _informed(space: tuple[SearchParameter, ...], part: Stream) -> tuple[SearchParameter, ...]:
    """The parameters that the log can inform; ConfigError if there are none."""
    if any(event.context for event in part.events):
        return space
    informed = tuple(one for one in space if one.name != CONTEXT_HALVINGS)
    if not informed:
        raise ConfigError(
            f"--parameter: got {CONTEXT_HALVINGS}, but no event has a context; expected columns "
            "such as context.room"
        )
    return informed


def _vectors(
    request: TuningRequest, part: Stream, replay_config: ReplayConfig
) -> tuple[Vectors, str]:
    from penchant.tuning.encoder_search import exported, finetuned

    if not request.finetune:
        return exported(request.config(), part)
    older = first_events(part, replay_config.start(part))
    source = request.source or default_source()
    return finetuned(older, source, request.finetune_steps, request.seed)


def _task(
    request: TuningRequest,
    replay_config: ReplayConfig,
    space: tuple[SearchParameter, ...],
    part: Stream,
    version: str,
) -> dict[str, str]:
    """Everything that a trial's result depends on; files of earlier releases have these names."""
    steps = f", {request.finetune_steps} steps" if request.finetune else ""
    first = {one.name: one.start for one in space if one.start != one.default}
    return {
        **({"start": str(first)} if first else {}),
        "log": fingerprint(part),
        "encoder": version + steps,
        "space": ", ".join(f"{one.name} {one.low:g} to {one.high:g}" for one in space),
        "metric": request.metric,
        "plan": str(dataclasses.asdict(replay_config)),
        "refresh": str(request.refresh),
        "--set": str(dict(sorted(request.fixed.items()))),
        "seed": str(request.seed),
    }


def _search(
    request: TuningRequest,
    study: Study,
    objective: SearchObjective,
    on_trial: Callable[[CompletedTrial], None],
) -> bool:
    """Runs the trials; returns whether Ctrl-C ended them."""
    limit_s = math.inf if request.minutes is None else 60 * request.minutes
    try:
        study.search(objective, request.trials, limit_s, on_trial)
    except KeyboardInterrupt:
        return True
    return False


def _gain(
    objective: SearchObjective, first: CompletedTrial, best: CompletedTrial, seed: int
) -> TuningGain:
    before, after = objective.of_each(first.values), objective.of_each(best.values)
    columns = np.stack([before, after, after - before], axis=1)
    return TuningGain(*estimates(columns, objective.users, seed))
