"""From a log to a release in one call: look, choose, measure, build, and store what serves it.

1. The log is read and looked at (`logs.log_check`).
2. Texts, vectors and settings are chosen by validation on the oldest 80 % of it (`chooser`).
3. What was chosen is measured beside peers on the newest 20 % (`measured`).
4. A release is built from the whole log; a log in files is put into a store that serves it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from penchant.config import parse
from penchant.domain.signals import as_text
from penchant.domain.types import Matrix
from penchant.encoder.base import Encoder
from penchant.encoder.cache import CachedEncoder
from penchant.encoder.library import load_onnx
from penchant.evaluation.fingerprint import fingerprint
from penchant.evaluation.model_settings import config_of
from penchant.evaluation.replay_log import judged_by, objective_of_term
from penchant.fit.chooser import Chooser, described
from penchant.fit.encoder_choice import EncoderChoice
from penchant.fit.fit_budget import FitBudget
from penchant.fit.fit_notes import FitNotes
from penchant.fit.fit_report import fit_report
from penchant.fit.fit_request import FitRequest, FitResult
from penchant.fit.measured import MeasuredFit, measure
from penchant.fit.search_space import choices_of
from penchant.fit.store_of_log import fill_store
from penchant.fit.trial import FitChoice, rungs_of
from penchant.launch.server_store import ServerStore, open_server_store
from penchant.logs.interactions import contexts_vary
from penchant.logs.item_text_templates import text_templates, usual_first, with_template
from penchant.logs.log_check import LogCheck, check_log, told_candidates
from penchant.logs.read_log import read_log
from penchant.logs.refusals import LeftOut
from penchant.logs.stream import Stream, outcomes_before
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.releases.build import ReleaseRecipe, build_release
from penchant.releases.loaded_release import load_release
from penchant.releases.manifest import Manifest, encoder_directory
from penchant.releases.switch import switch_to
from penchant.report.chart import require_matplotlib
from penchant.service.clock import system_clock
from penchant.store.items import read_head
from penchant.system.audit_log import digest_of
from penchant.system.durable_file import write_whole
from penchant.system.option_types import pairs_of
from penchant.system.progress import Progress, no_progress
from penchant.system.whole_directory import check_makeable

REPORT = "report.html"
"""The report, in the output's directory and in the release."""

_SHARES = (0.25, 0.5, 1.0)
"""Shares of the users in the rounds of a search."""


def fit(
    request: FitRequest,
    say: Callable[[str], None] = lambda sentence: None,
    progress: Progress = no_progress,
) -> FitResult:
    """Makes the best release of a log that the time allows; the same call resumes it.

    Choices are made on the oldest 80 % of the events, by rankings in its newest fifth; the other
    20 % are ranked once, to measure. The release is fitted to all events.

    Args:
        request: the log, the time and the user's own choices.
        say: called with what is found and chosen, a sentence or two at a time.
        progress: called as each step advances.

    Raises:
        ConfigError: an option is out of range, a file can't be read or written, a package is
            missing, or the log holds no event that can be used.
        StoreUnavailable: the store can't be opened.
    """
    require_matplotlib("fit")
    check_makeable(request.output)
    return _Fit(request, say, progress).run()


class _Fit:
    """One fit, step by step."""

    def __init__(self, request: FitRequest, say: Callable[[str], None], progress: Progress) -> None:
        objective = request.objective or (
            objective_of_term(request.relevant) if request.relevant else ""
        )
        if objective:
            settings = (*request.settings, f"objective={objective}")
            request = dataclasses.replace(request, settings=settings)
        self._request, self._tell, self._progress = request, say, progress
        self._said: list[str] = []
        self._alarm = ""
        self._pairs = pairs_of("--set", request.settings)
        self._budget = FitBudget(request.minutes, request.trials)
        own = request.encoder or (None if request.log.store else self._made)
        self._config = config_of(own, request.settings, request.log.store)

    def run(self) -> FitResult:
        request = self._request
        stream, check = self._read()
        candidates = told_candidates(request.candidates, check.repeats)
        notes = FitNotes(request.output, self._task(stream))
        if notes.resumed:
            self._tell("Going on with what an earlier run has found.")
        rungs = rungs_of(stream, candidates, _SHARES, request.seed)
        if not rungs:
            self._say(
                "The log is too short to choose settings by: the defaults stay, and a refresh "
                "learns more as events come."
            )
        chooser = Chooser(rungs, self._config, notes, self._budget, request.seed, self._progress)
        start = RefreshSettings(
            **{**dataclasses.asdict(RefreshSettings()), **request.given_refresh}
        )
        made = EncoderChoice(request, chooser, start, self._say, self._progress)
        encoder: Encoder
        if request.encoder is None and not request.log.store:
            stream, template = made.make(stream, check)
            encoder = _loaded(self._made)
        else:
            encoder = _loaded(self._served_encoder())
            stream, template = made.texts(stream, encoder.encode, self._say)
        self._progress("Encoding the items' texts", 0.0)
        vectors = encoder.encode([item.text for item in stream.items])
        choice = self._choose_settings(chooser, stream, encoder.version, start, vectors)
        measured = self._measure(stream, choice, vectors, candidates)
        return self._release(stream, check, choice, template, encoder, measured)

    @property
    def _made(self) -> Path:
        return self._request.output / "encoder"

    def _say(self, sentence: str) -> None:
        self._said.append(sentence)
        self._tell(sentence)

    def _read(self) -> tuple[Stream, LogCheck]:
        request, left_out = self._request, LeftOut()
        self._progress("Reading the log", 0.0)
        stream = read_log(
            request.log,
            self._config.signals,
            request.hits,
            left_out,
            "nothing to fit to",
            make_texts=False,
        )
        if stream.signals != self._config.signals:
            self._config = dataclasses.replace(self._config, signals=stream.signals)
            self._pairs = {**self._pairs, "signals": as_text(stream.signals)}
        judged = judged_by(stream, self._config, request.relevant, request.log.default_relevance)
        stream = judged.stream
        self._alarm = left_out.alarm()
        if self._alarm:
            self._say(f"Warning: {self._alarm}")
        if judged.sentence:
            self._say(judged.sentence)
        usual = usual_first(text_templates(stream.items)) if request.log.makes_texts else []
        shown = with_template(stream.items, usual[0]) if usual else stream.items
        check = check_log(dataclasses.replace(stream, items=shown), system_clock())
        notes = left_out.notes()[1 if self._alarm else 0 :]
        for sentence in (*check.sentences(request.candidates), *notes):
            self._say(sentence)
        return stream, check

    def _task(self, stream: Stream) -> dict[str, str]:
        request = self._request
        return {
            "log": fingerprint(stream),
            "--relevant": request.hits,
            "--candidates": request.candidates,
            "--encoder": str(request.encoder or ""),
            "--source": str(request.source or ""),
            "--store": request.log.store,
            "--dimensions": str(request.dimensions),
            "--set": str(dict(sorted(self._pairs.items()))),
            "--seed": str(request.seed),
        }

    def _served_encoder(self) -> Path:
        """The encoder that was given, or that of the release that the store's server serves."""
        store = self._request.log.store
        if not store:
            return self._config.encoder
        with open_server_store(store, self._request.settings, self._request.encoder) as server:
            with server.store.snapshot() as snapshot:
                head = read_head(snapshot)
            released = encoder_directory(server.releases / head.release)
            return released if head.release else server.config.encoder

    def _choose_settings(
        self,
        chooser: Chooser,
        stream: Stream,
        vectors_name: str,
        start: RefreshSettings,
        vectors: Matrix,
    ) -> FitChoice:
        fixed = (*self._pairs, *self._request.given_refresh)
        contexts = contexts_vary(outcomes_before(stream, len(stream.events)))
        seed = self._request.seed
        choices = choices_of(vectors_name, start, fixed, seed, contexts=contexts)
        found = chooser.best("Searching settings", choices, lambda _: vectors)
        if found.tried > 1:
            self._say(described(found, "Settings"))
        return found.best

    def _measure(
        self, stream: Stream, choice: FitChoice, vectors: Matrix, candidates: str
    ) -> MeasuredFit | None:
        request = self._request
        measured = measure(
            stream,
            choice,
            vectors,
            self._config,
            candidates,
            request.peers,
            request.seed,
            self._progress,
        )
        if measured is None:
            self._say("The newest part of the log has too few hits to measure anything by.")
        else:
            self._say(measured.sentence)
        return measured

    def _release(
        self,
        stream: Stream,
        check: LogCheck,
        choice: FitChoice,
        template: str,
        encoder: Encoder,
        measured: MeasuredFit | None,
    ) -> FitResult:
        """Builds the release, and serves it from a store of its own if the log came in files."""
        request = self._request
        report = request.output / REPORT
        last = [f"Warning: {self._alarm}"] if self._alarm else []
        write_whole(report, fit_report([*self._said, *last], measured))
        own, whole = not request.log.store, True
        address = request.log.store or f"lmdb:{(request.output / 'store').absolute()}"
        directory = self._served_encoder().absolute()
        if own:
            config = parse({"store": address, "encoder": str(directory), **self._pairs})
            refused = fill_store(stream, config, encoder, self._progress)
            if refused:
                whole = False
                self._say(f"The store refused {refused:,} events; see `penchant doctor`.")
        with open_server_store(address, request.settings, directory) as server:
            manifest = self._build(server, stream, choice, encoder, directory, measured, report)
            folder = server.releases / manifest.id
            if own:
                self._serve(server, folder, whole)
        self._say(f"The release, which learnt from the whole log: {manifest.reasons}")
        return FitResult(
            release=manifest,
            folder=folder,
            store=address,
            served=own,
            encoder=directory,
            report=report,
            check=check,
            choice=choice,
            template=template,
            settings=self._pairs,
            measured=measured,
            said=self._said,
            alarm=self._alarm,
        )

    def _build(
        self,
        server: ServerStore,
        stream: Stream,
        choice: FitChoice,
        encoder: Encoder,
        directory: Path,
        measured: MeasuredFit | None,
        report: Path,
    ) -> Manifest:
        self._progress("Building the release", 0.0)
        with server.store.snapshot() as snapshot:
            parent = read_head(snapshot).release
        recipe = ReleaseRecipe(
            encoder=directory,
            score_weights=choice.weights,
            refresh=choice.refresh,
            parent="" if not self._request.log.store else parent,
            metrics={} if measured is None else measured.metrics,
            reports={REPORT: report.read_bytes()},
        )
        return build_release(server.releases, stream, server.config, recipe, encoder.encode)

    def _serve(self, server: ServerStore, folder: Path, whole: bool) -> None:
        """Serves a release; if the store holds the whole log, with the items as it learnt them."""
        with server.store.snapshot() as snapshot:
            served = read_head(snapshot).release
        if served == folder.name:
            return
        release = load_release(folder, "publish", load_onnx)
        server.audit.add("publish", digest_of([folder.name]), folder.name)
        switch_to(
            server.store,
            server.directory,
            server.config,
            release,
            self._progress,
            as_released=whole,
        )


def _loaded(directory: Path) -> CachedEncoder:
    return CachedEncoder(load_onnx(directory), capacity=1 << 20)
