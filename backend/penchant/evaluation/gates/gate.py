"""One gate run from a request: read the log and both encoders, and judge the candidate."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from penchant.config import Config
from penchant.evaluation.gates.budgets import Budgets
from penchant.evaluation.gates.validation import Validation
from penchant.evaluation.gates.verdict import Verdict
from penchant.evaluation.model_settings import config_of
from penchant.evaluation.replay_log import OnLog, ReplayLog, ignore_log
from penchant.logs.stream import Stream
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.report.page import check_writable
from penchant.system.option_types import ENCODER_IN_USE, FLAT, Pairs, Repeated
from penchant.system.progress import Progress, no_progress

if TYPE_CHECKING:
    from penchant.evaluation.gates.side import Side


@dataclass(frozen=True, slots=True)
class GateRequest:
    """A baseline and a candidate, and the log and the budgets to judge them by."""

    baseline: Annotated[Path, ENCODER_IN_USE]
    """Encoder that serves now: a directory that `penchant export` wrote."""
    candidate: Path
    """Encoder that would replace it."""
    log: Annotated[ReplayLog, FLAT] = ReplayLog()
    settings: Annotated[Pairs, Parameter(name="--set")] = ()
    """A setting of the models, for both sides; repeatable."""
    candidate_settings: Annotated[Pairs, Parameter(name="--candidate-set")] = ()
    """A setting of the candidate alone; repeatable."""
    refresh: Annotated[bool, Parameter(negative="--no-refresh")] = True
    """Let item vectors and the score's weights learn first, on each side, as `penchant refresh`
    does."""
    validation: Annotated[Validation, FLAT] = Validation()
    attributes: Annotated[Repeated, Parameter(name="--attribute")] = ()
    """Attribute of items; each of its values is a cohort; repeatable."""
    probes: Annotated[tuple[Path, ...], Parameter(metavar="FILE", show_default=False)] = ()
    """Frozen rankings of an earlier era; repeatable."""
    budgets: Annotated[Budgets, FLAT] = Budgets()
    seed: int = 1
    """Seed of the confidence intervals and of the noise in texts."""
    freeze_probes: Annotated[Path | None, Parameter(group="Output")] = None
    """File to freeze the newest part of the log to, for later gates."""

    @property
    def reads(self) -> tuple[Path | None, ...]:
        """The files that it names to read; None for one that it does not."""
        return *self.log.source.files, *self.probes

    def baseline_config(self) -> Config:
        """Settings of the baseline; ConfigError if one is wrong."""
        return config_of(self.baseline, self.settings, self.log.source.store)

    def candidate_config(self) -> Config:
        """Settings of the candidate; ConfigError if one is wrong."""
        given = (*self.settings, *self.candidate_settings)
        return config_of(self.candidate, given, self.log.source.store)


def gate(
    request: GateRequest, *, on_log: OnLog = ignore_log, progress: Progress = no_progress
) -> Verdict:
    """Ranks the newest part of a log with both encoders, and judges the candidate's losses.

    Args:
        request: the two sides, the log and the budgets.
        on_log: called once the log is read.
        progress: called as each step advances.

    Raises:
        ConfigError: an option is out of range, a file can't be read or written, or there is too
            little data to judge.
    """
    baseline, candidate = request.baseline_config(), request.candidate_config()
    if request.freeze_probes is not None:
        check_writable(request.freeze_probes, "--freeze-probes", request.reads)
    progress("Reading the log", 0.0)
    judged = request.log.read_for(baseline, "nothing to judge by", on_log)
    stream = judged.stream
    if candidate.signals == baseline.signals:
        candidate = dataclasses.replace(candidate, signals=stream.signals)
    if candidate.objective == baseline.objective:
        candidate = dataclasses.replace(candidate, objective=judged.config.objective)
    baseline = judged.config
    progress("Reading the log", 1.0)
    # Only here: they load ONNX Runtime, SciPy and PyArrow, which the command's help does without.
    from penchant.evaluation.gates.judge import judge
    from penchant.evaluation.gates.probe_file import read_probes

    refresh = RefreshSettings() if request.refresh else None
    verdict = judge(
        stream,
        *_load_sides((baseline, candidate), refresh),
        request.budgets,
        probes=[read_probes(path) for path in request.probes],
        attributes=request.attributes,
        validation=request.validation,
        seed=request.seed,
        progress=progress,
    )
    if request.freeze_probes is not None:
        _freeze(request, request.freeze_probes, stream, baseline)
    return verdict


def _load_sides(
    configs: tuple[Config, Config], refresh: RefreshSettings | None
) -> tuple[Side, Side]:
    from penchant.encoder.cache import CachedEncoder
    from penchant.encoder.onnx import OnnxEncoder
    from penchant.evaluation.gates.side import Side

    loaded: dict[Path, CachedEncoder] = {}
    for config in configs:
        if config.encoder not in loaded:
            encoder = OnnxEncoder.load(config.encoder, threads=config.encoder_threads)
            loaded[config.encoder] = CachedEncoder(encoder)
    first, second = (Side(loaded[config.encoder], config, refresh) for config in configs)
    return first, second


def _freeze(request: GateRequest, path: Path, stream: Stream, config: Config) -> None:
    from penchant.evaluation.gates.probe_file import write_probes
    from penchant.evaluation.gates.probes import freeze_probes

    replay_config, _ = request.validation.choose(stream)
    probes = freeze_probes(
        stream,
        range(replay_config.start(stream), len(stream.events)),
        seed=request.seed,
        signals=config.signals,
        window_events=config.fold.window_events,
        candidates=request.validation.candidates,
    )
    write_probes(path, probes)
