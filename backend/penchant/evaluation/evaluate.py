"""One evaluation from a request: read the log, replay it for every recommender, compare them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter, Token

from penchant.config import with_asked
from penchant.domain.errors import ConfigError
from penchant.evaluation.holdout import hold_out
from penchant.evaluation.model_settings import ModelSettings
from penchant.evaluation.recommender import EncoderRetraining, Recommender
from penchant.evaluation.replay_log import OnLog, ReplayLog, ignore_log
from penchant.evaluation.targets import ReplayConfig, choose_targets
from penchant.logs.log_check import candidates_in_words, share_of_repeats
from penchant.logs.refusals import LeftOut
from penchant.logs.stream import Stream
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.system.option_types import FLAT, OBJECTIVE
from penchant.system.progress import Progress, no_progress
from penchant.system.workers import ALONE, Workers

if TYPE_CHECKING:
    from penchant.evaluation.recommender_comparison import Evaluation

GENRES = "genres"
"""The attribute of MovieLens by which calibration is measured."""

ALL_BASELINES = "all"


def _parse_names(_: Any, tokens: Sequence[Token]) -> tuple[str, ...]:
    text = tokens[-1].value
    return tuple(name.strip() for name in text.split(",")) if text else ()


def _parse_cut_offs(_: Any, tokens: Sequence[Token]) -> tuple[int, ...]:
    text = tokens[-1].value
    try:
        cut_offs = tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        cut_offs = ()
    if not cut_offs or cut_offs[0] < 1:
        raise ConfigError(f"--k: got {text!r}, expected numbers from 1, as in 10,50")
    return cut_offs


def _listed(values: Sequence[object]) -> str:
    return ",".join(map(str, values))


def _default_attribute(_: Any) -> str:
    return f"none; {GENRES} for movielens"


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """What to evaluate: a log, a model, and the baselines beside it."""

    log: Annotated[ReplayLog, FLAT] = ReplayLog()
    model: Annotated[ModelSettings, FLAT] = ModelSettings()
    objective: Annotated[str, OBJECTIVE] = ""
    """Signal to learn for and to rank for; `all`: every event with a positive reward alike."""
    baselines: Annotated[
        tuple[str, ...],
        Parameter(
            name="--peers",
            metavar="NAME,NAME,...",
            n_tokens=1,
            converter=_parse_names,
            show_default=False,
        ),
    ] = ()
    """Recommenders to compare with; `all`: every one."""
    keep: Path | None = None
    """Directory that caches the baselines' results, so that finished ones are not run again."""
    replay: Annotated[ReplayConfig, FLAT] = ReplayConfig()
    refresh: Annotated[bool, Parameter(negative="--no-refresh")] = True
    """Let item vectors and the score's weights learn at each fit, as `penchant refresh` does."""
    refresh_settings: Annotated[RefreshSettings, Parameter(name="*", group="Refresh")] = (
        RefreshSettings()
    )
    ks: Annotated[
        tuple[int, ...],
        Parameter(
            name=("--k", "-k"),
            metavar="K,K,...",
            n_tokens=1,
            converter=_parse_cut_offs,
            show_default=_listed,
        ),
    ] = (10, 50)
    """Cut-offs of recall and NDCG, each 1 or more."""
    hold_out_items: float = 0.0
    """Share of the items that first appear when training ends, 0 to below 1."""
    seed: int = 1
    """Seed of the confidence intervals and of the baselines."""
    attribute: Annotated[str, Parameter(show_default=_default_attribute)] = ""
    """Attribute of items to measure calibration by."""
    workers: Annotated[Workers, FLAT] = ALONE
    """Who encodes the items and ranks."""
    slow_clock: Annotated[EncoderRetraining | None, Parameter(parse=False)] = None
    """Trains the encoder again during the replay; None: the encoder stays."""

    @property
    def calibrated_by(self) -> str:
        """The attribute that calibration is measured by; empty: none."""
        return self.attribute or (GENRES if self.log.source.dataset else "")


def evaluate(
    request: EvaluationRequest, *, on_log: OnLog = ignore_log, progress: Progress = no_progress
) -> Evaluation:
    """Replays a log once for Penchant and once for each baseline, and compares their rankings.

    Before each relevant event a recommender ranks the catalog; after each event it learns.

    Args:
        request: the log, the model, the baselines and the protocol.
        on_log: called once the log is read.
        progress: called as each step advances.

    Raises:
        ConfigError: an option is out of range, a file can't be read, a package is missing, or no
            event can be ranked for.
    """
    if request.slow_clock is not None and not request.workers.alone:
        raise ConfigError(
            "--workers, --ray: got them with an encoder that is trained again during the replay, "
            "expected either: each worker would train it"
        )
    config = with_asked(request.model.config(request.log.source.store), request.objective)
    baselines = _make_baselines(request)
    progress("Reading the log", 0.0)
    read = LeftOut()

    def noted(stream: Stream, left_out: LeftOut, hits: str) -> None:
        nonlocal read
        read = left_out
        left_out.assumed.append(
            candidates_in_words(request.replay.candidates, share_of_repeats(stream))
        )
        on_log(stream, left_out, hits)

    judged = request.log.read_for(config, "nothing to evaluate", noted)
    stream, config = judged.stream, judged.config
    plan = request.replay.resolved(stream)
    stream, replay_config = hold_out(stream, plan, request.hold_out_items, request.seed)
    choose_targets(stream, replay_config)  # For its error before anything expensive.
    progress("Reading the log", 1.0)
    # Only here: it loads ONNX Runtime, which the help of the command does without.
    from penchant.evaluation.penchant import PenchantRecommender, middle_clock
    from penchant.evaluation.recommender_comparison import compare_recommenders
    from penchant.evaluation.result_cache import ResultCache

    encoding = f"Encoding {len(stream.items):,} texts"
    progress(encoding, 0.0)
    clock = middle_clock(request.refresh_settings, config) if request.refresh else None
    penchant = PenchantRecommender.load(config, stream, clock, request.slow_clock, request.workers)
    progress(encoding, 1.0)
    cache = None
    if request.keep is not None:
        cache = ResultCache(request.keep, stream, replay_config, request.seed)
    evaluation = compare_recommenders(
        stream,
        replay_config,
        penchant,
        baselines,
        request.ks,
        request.seed,
        request.calibrated_by,
        progress,
        cache,
        request.workers,
    )
    return dataclasses.replace(evaluation, notes=tuple(read.notes()), alarm=read.alarm())


def _make_baselines(request: EvaluationRequest) -> list[Recommender]:
    if not request.baselines:
        return []
    # Only here: some of them load PyTorch.
    from penchant.evaluation.baselines import NAMES, make

    names = NAMES if request.baselines == (ALL_BASELINES,) else request.baselines
    return [make(name, request.seed) for name in dict.fromkeys(names)]
