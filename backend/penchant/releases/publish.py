"""Publishing as one job: build a release, judge it beside the served one, serve it in its place.

1. The gate replays the server's own log with the candidate and with the served release.
2. The release is built into a folder; one that is built already is installed instead.
3. The server switches to it (`switch`), or begins a rollout of it (`release_rollout`).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from penchant.config import with_score_weights
from penchant.domain.errors import ConfigError
from penchant.encoder.base import Encoder
from penchant.encoder.cache import CachedEncoder
from penchant.encoder.library import MANIFEST, load_onnx
from penchant.encoder.shared_encoder import SharedEncoder
from penchant.evaluation.gates.budgets import Budgets
from penchant.evaluation.gates.judge import judge
from penchant.evaluation.gates.side import Side
from penchant.evaluation.gates.validation import Validation
from penchant.evaluation.gates.verdict import Verdict
from penchant.evaluation.replay_log import JudgedLog, judged_by
from penchant.launch.model_parameters import DEFAULT_STORE, KEPT_ENCODER
from penchant.launch.server_store import ServerSettings, ServerStore, open_server_store
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import POSITIVE, parse_relevance
from penchant.logs.shipped.trimmed_log import trimmed_log
from penchant.logs.store_log import items_in_order, stream_of_store
from penchant.logs.stream import make_stream
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.releases.build import ReleaseRecipe, build_release
from penchant.releases.loaded_release import LoadEncoder, install_release, load_release
from penchant.releases.manifest import check_release, encoder_directory
from penchant.releases.release_gate import (
    GATE,
    PROBES,
    ServedRelease,
    earlier_probes,
    freeze_validation_part,
    metrics_of,
    parse_weights,
)
from penchant.releases.release_rollout import RolloutPlan, begin_rollout
from penchant.releases.shared_release import fetch_release, send_release
from penchant.releases.switch import switch_to
from penchant.releases.triton_repository import check_repository, write_model_version
from penchant.store.items import read_head
from penchant.store.releases import read_releases
from penchant.system.audit_log import digest_of
from penchant.system.option_types import (
    ENCODER_IN_USE,
    FLAT,
    STORE_IN_USE,
    Flag,
    Pairs,
    Repeated,
    Share,
    pairs_of,
    shows,
)
from penchant.system.progress import Progress, no_progress
from penchant.system.workers import ALONE, Workers

_CONTENT = Parameter(group="Content of the release")
_GATE = Parameter(group="Gate")
_ROLLOUT = Parameter(group="Rollout")
_MAYBE_SHARE = Parameter(group="Rollout", metavar="SHARE", show_default=False)
_BUDGETS, _VALIDATION = Budgets(), Validation()
_DEFAULT_HITS = shows(f"those of the objective, or {POSITIVE}")


@dataclass(frozen=True, slots=True)
class PublishRequest:
    """The release to publish, how to judge it, and the users to serve it to.

    Raises:
        ConfigError: it names both a built release and an encoder, or neither; or both a shadow and
            a canary.
    """

    release: str | None = None
    """A release that is built already: its id, or its folder. Or name --candidate."""
    _: KW_ONLY
    store: Annotated[str, STORE_IN_USE] = DEFAULT_STORE
    """Store of the server: lmdb:DIRECTORY or valkey://…/NAMESPACE."""
    settings: ServerSettings = ()
    """A setting, if it is not the one that the server keeps in the store; repeatable."""
    encoder: Annotated[Path | None, ENCODER_IN_USE, Parameter(show_default=KEPT_ENCODER)] = None
    """Directory of the server's own encoder, which served before any release."""
    build_only: Flag = False
    """Build and judge the release; serve it later, by its id."""
    triton: Annotated[Path | None, Parameter(metavar="REPOSITORY")] = None
    """Also add the encoder alone to a model repository, for a Triton without Penchant."""
    candidate: Annotated[Path | None, _CONTENT] = None
    """Build a release of this encoder, a directory that `penchant export` wrote."""
    weights: Annotated[Pairs, Parameter(name="--weight"), _CONTENT] = ()
    """A setting of the fold that comes with the release; repeatable."""
    refresh: Annotated[RefreshSettings, Parameter(name="*"), _CONTENT] = RefreshSettings()
    """Settings of its refresh, and of every refresh while it is served."""
    reports: Annotated[
        tuple[Path, ...],
        Parameter(name="--report", show_default=False, negative=()),
        _CONTENT,
    ] = ()
    """A file to keep in the release, such as an evaluation's report; repeatable."""
    max_loss: Annotated[Share, _GATE] = _BUDGETS.overall
    """Largest relative loss over all rankings, as 1% or 0.01."""
    max_cohort_loss: Annotated[Share, _GATE] = _BUDGETS.cohort
    """Largest relative loss of each cohort, of each probe set, and with noisy texts."""
    attributes: Annotated[Repeated, Parameter(name="--attribute"), _GATE] = ()
    """An attribute of the items, each value of which is a cohort; repeatable."""
    relevant: Annotated[str, Parameter(metavar="TERM", show_default=_DEFAULT_HITS), _GATE] = ""
    """The events that count as a hit: 'rating>=4', 'reward>0.5', signal=purchase."""
    validation_fraction: Annotated[float, _GATE] = _VALIDATION.fraction
    """Share of the log's events, the newest, to rank for."""
    candidates: Annotated[str, _GATE] = _VALIDATION.candidates
    """Items to rank: `unseen`, those that the user has no event about yet; or `all`."""
    no_gate: Annotated[Flag, _GATE] = False
    """Publish without judging."""
    shadow: Annotated[Share | None, _MAYBE_SHARE] = None
    """Don't serve it: compare it for this share of the users, as 20%."""
    canary: Annotated[Share | None, _MAYBE_SHARE] = None
    """Serve it to this share of the users only, as 5%."""
    max_trial_loss: Annotated[Share, _ROLLOUT] = 0.05
    """Relative loss of the rollout's metric at which the server ends it."""
    workers: Annotated[Workers, FLAT] = ALONE
    """Who encodes the items."""

    def __post_init__(self) -> None:
        if (self.release is None) == (self.candidate is None):
            raise ConfigError("publish: name a release that was built, or --candidate to build one")
        if self.shadow is not None and self.canary is not None:
            raise ConfigError("--shadow, --canary: got both, expected one")

    @property
    def budgets(self) -> Budgets:
        """The losses that the gate allows."""
        cohort = self.max_cohort_loss
        return Budgets(self.max_loss, cohort=cohort, probes=cohort, robustness=cohort)

    @property
    def validation(self) -> Validation:
        """The part of the log that the gate ranks for."""
        return Validation(self.validation_fraction, candidates=self.candidates)

    @property
    def rollout(self) -> RolloutPlan | None:
        """The rollout to begin; None to serve the release to everybody."""
        if self.canary is not None:
            return RolloutPlan("canary", self.canary, self.max_trial_loss)
        if self.shadow is not None:
            return RolloutPlan("shadow", self.shadow, self.max_trial_loss)
        return None


class PublishOutcome(StrEnum):
    """The state of the release after a publication."""

    ALREADY_SERVED = "already served"
    REFUSED = "refused"
    """The gate refused it; nothing was built or served."""
    BUILT = "built"
    ON_ROLLOUT = "on rollout"
    SERVED = "served"


@dataclass(frozen=True, slots=True)
class PublishResult:
    """The outcome of a publication."""

    outcome: PublishOutcome
    release: str = ""
    """Id of the release; empty if it was refused."""
    folder: Path | None = None
    """Folder of the release."""
    verdict: Verdict | None = None
    """Verdict of the gate; None if the gate did not run."""
    encoder_version: str = ""
    """Version of the release's encoder."""
    reasons: str = ""
    """What the learnt weights of the release chose and why, in words."""
    catalog_version: int = 0
    """Version of the catalog that readers follow; 0 unless the release is served."""
    model_version: Path | None = None
    """Folder that was added to the model repository of `triton`."""
    left_out: LeftOut = field(default_factory=LeftOut)
    """Events of the log that were not used."""
    remark: str = ""
    """What is left to do for the other servers of the store; empty: nothing."""


def publish(
    request: PublishRequest,
    progress: Progress = no_progress,
    *,
    before_switch: Callable[[str], None] | None = None,
    load: LoadEncoder = load_onnx,
) -> PublishResult:
    """Builds a release, judges it beside the served one, and serves it in its place.

    A running server may stay up; it follows at its next request.

    Args:
        request: the release, the gate and the rollout.
        progress: called with each step of the gate and of the switch.
        before_switch: called with the encoder's version before anything changes for readers, for
            example to make the server load that encoder.
        load: loads an encoder from its directory.

    Raises:
        ConfigError: the store, an encoder or a report can't be read, a setting is wrong, the log is
            too short to judge by, or `triton` holds somebody else's model under the encoder's
            name.
        LaunchError: the store's address or a setting can't be read.
        EncoderUnavailable, StoreUnavailable: nothing was switched; run it again.
    """
    weights, reports = parse_weights(pairs_of("--weight", request.weights)), _read(request.reports)
    load = partial(_shared, load, request.workers)
    if request.triton is not None:
        check_repository(request.triton)  # Before the work of judging.
    with open_server_store(request.store, request.settings, request.encoder) as server:
        candidate = _candidate(request, server, weights, load)
        progress("Reading the log", 0.0)
        with server.store.snapshot() as snapshot:
            served = ServedRelease(read_head(snapshot), read_releases(snapshot))
            relevance = parse_relevance(request.relevant or POSITIVE)
            if candidate.folder is not None and candidate.folder.name == served.head.release:
                return PublishResult(PublishOutcome.ALREADY_SERVED, served.head.release)
            left_out = LeftOut()
            signals, shipped = server.config.signals, trimmed_log(server.store)
            if shipped:
                items, events = items_in_order(snapshot), shipped.events(server.store)
                stream = make_stream(items, events, signals, relevance, left_out)
            else:
                stream = stream_of_store(snapshot, signals, relevance, left_out)
        judged = judged_by(stream, server.config, request.relevant, POSITIVE)
        progress("Reading the log", 1.0)
        work = _Publication(request, server, served, judged, candidate, progress, load)
        verdict = None if request.no_gate else work.judge()
        if verdict is not None and not verdict.passed:
            return PublishResult(PublishOutcome.REFUSED, verdict=verdict, left_out=left_out)
        folder = candidate.folder or work.build(verdict, reports)
        result = work.serve(folder, verdict, before_switch)
        return dataclasses.replace(result, left_out=left_out)


def _shared(load: LoadEncoder, workers: Workers, directory: Path) -> Encoder:
    """The encoder of a directory, as workers share it."""
    return SharedEncoder(load(directory), directory, workers=workers)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A release to publish, built or not."""

    encoder: Encoder
    weights: dict[str, Any]
    refresh: RefreshSettings
    folder: Path | None
    """Its folder, if it is built."""


def _candidate(
    request: PublishRequest, server: ServerStore, weights: dict[str, Any], load: LoadEncoder
) -> _Candidate:
    if request.candidate is not None:
        return _Candidate(load(request.candidate), weights, request.refresh, None)
    folder = Path(request.release or "")
    if not (folder / MANIFEST).is_file():
        folder = server.releases / folder.name
        fetch_release(server, folder.name)
    folder = install_release(folder, server.releases)
    manifest = check_release(folder)
    encoder = load(encoder_directory(folder))
    return _Candidate(encoder, manifest.score_weights, manifest.refresh_settings, folder)


@dataclass(frozen=True, slots=True)
class _Publication:
    """The steps of one publication, over one store and one log."""

    request: PublishRequest
    server: ServerStore
    served: ServedRelease
    judged: JudgedLog
    candidate: _Candidate
    progress: Progress
    load: LoadEncoder

    def judge(self) -> Verdict:
        """Compares the candidate with the served release on the log."""
        request, config = self.request, self.server.config
        encoder = self.served.encoder(self.server.releases, config.encoder, self.load)
        config = self.judged.config
        weighted = with_score_weights(config, json.dumps(self.candidate.weights))
        return judge(
            self.judged.stream,
            self.served.side(encoder, config),
            Side(CachedEncoder(self.candidate.encoder), weighted, self.candidate.refresh),
            request.budgets,
            probes=earlier_probes(self.served.log, self.server.releases),
            attributes=request.attributes,
            validation=request.validation,
            progress=self.progress,
        )

    def build(self, verdict: Verdict | None, reports: dict[str, bytes]) -> Path:
        """Builds the release's folder among those of the server."""
        assert self.request.candidate is not None
        self.progress("Building the release", 0.0)
        config = self.server.config
        probes = freeze_validation_part(self.judged.stream, config, self.request.validation)
        reports = reports | {PROBES: probes}
        if verdict is not None:
            reports[GATE] = verdict.json().encode()
        recipe = ReleaseRecipe(
            encoder=self.request.candidate,
            score_weights=self.candidate.weights,
            refresh=self.candidate.refresh,
            parent=self.served.head.release,
            metrics={} if verdict is None else metrics_of(verdict),
            reports=reports,
        )
        encode = self.candidate.encoder.encode
        manifest = build_release(self.server.releases, self.judged.stream, config, recipe, encode)
        self.progress("Building the release", 1.0)
        return self.server.releases / manifest.id

    def serve(
        self,
        folder: Path,
        verdict: Verdict | None,
        before_switch: Callable[[str], None] | None,
    ) -> PublishResult:
        """Switches to the release or begins its rollout, unless the request only builds it."""
        request, server = self.request, self.server
        manifest = check_release(folder)
        model_version = None
        if request.triton is not None:
            model_version = write_model_version(request.triton, encoder_directory(folder))

        remark = send_release(server, folder)

        def result(outcome: PublishOutcome, catalog_version: int = 0) -> PublishResult:
            return PublishResult(
                outcome,
                manifest.id,
                folder,
                verdict,
                manifest.encoder_version,
                manifest.reasons,
                catalog_version,
                model_version,
                remark=remark,
            )

        if request.build_only:
            return result(PublishOutcome.BUILT)
        self.progress("Loading the encoder", 0.0)
        release = load_release(folder, "publish", self.load)
        if before_switch is not None:
            before_switch(manifest.encoder_version)
        self.progress("Loading the encoder", 1.0)
        server.audit.add("publish", digest_of([manifest.id]), manifest.id)
        place = server.store, server.directory, server.config
        if request.rollout is not None:
            begin_rollout(*place, release, request.rollout, self.progress)
            return result(PublishOutcome.ON_ROLLOUT)
        head = switch_to(*place, release, self.progress)
        return result(PublishOutcome.SERVED, head.version)


def _read(paths: tuple[Path, ...]) -> dict[str, bytes]:
    """Reads the reports to keep in the release, by file name."""
    try:
        return {path.name: path.read_bytes() for path in paths}
    except OSError as error:
        raise ConfigError(f"--report: {error.filename} can't be read: {error.strerror}") from error
