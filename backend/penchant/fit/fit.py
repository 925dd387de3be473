"""From a log to a release in one call: look, choose, measure, build, and store what serves it.

1. The log is read and looked at (`logs.log_check`).
2. Texts, vectors and settings are chosen by validation on the oldest 80 % of it (`choosing`).
3. What was chosen is measured beside peers on the newest 20 % (`measured`).
4. A release is built from the whole log; a log in files is put into a store that serves it.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from penchant.config import parse
from penchant.domain.types import Matrix
from penchant.encoder.base import Encoder
from penchant.encoder.bundle import MANIFEST
from penchant.encoder.cache import CachedEncoder
from penchant.encoder.library import load_onnx
from penchant.encoder.source import default_source
from penchant.evaluation.fingerprint import fingerprint
from penchant.evaluation.model_settings import config_of
from penchant.fit.budget import Budget
from penchant.fit.choosing import Chooser, described, with_vectors
from penchant.fit.fit_log import read_fit_log
from penchant.fit.fit_notes import FitNotes
from penchant.fit.fit_report import fit_report
from penchant.fit.item_vectors_tried import (
    FINETUNED,
    FIRST_VALUES,
    LEAST_LIKES,
    TRAINED,
    EncoderPlan,
    TextVectors,
)
from penchant.fit.measured import PEERS, MeasuredFit, measure
from penchant.fit.search_space import REFRESH_VALUES, choices_of
from penchant.fit.store_of_log import fill_store
from penchant.fit.text_templates import text_templates, with_template
from penchant.fit.trial import TRAINING, VALIDATION, FitChoice, rungs_of
from penchant.launch.server_store import ServerStore, open_server_store
from penchant.logs.log_check import LogCheck, check_log
from penchant.logs.log_source import LogSource
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import POSITIVE
from penchant.logs.stream import Stream, first_events
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.releases.build import ReleaseRecipe, build_release
from penchant.releases.loaded_release import load_release
from penchant.releases.manifest import Manifest, encoder_directory
from penchant.releases.switch import switch_to
from penchant.report.chart import require_matplotlib
from penchant.service.clock import system_clock
from penchant.store.items import read_head
from penchant.system.durable_file import write_whole
from penchant.system.option_types import ENCODER_IN_USE, FLAT, Pairs, Repeated, pairs_of
from penchant.system.progress import Progress, no_progress

REPORT = "report.html"
"""The report, in the output's directory and in the release."""

_SHARES = (0.25, 0.5, 1.0)
"""Shares of the users in the rounds of a search."""
_TRAINING_S = 90.0
"""Seconds that must be left to train a projection."""

_CHOICES = Parameter(group="Choices")
_MAYBE = Parameter(group="Choices", show_default=lambda _: "searched")


@dataclass(frozen=True, slots=True)
class FitRequest:
    """A log, the time, and the choices that the user makes instead of the fit."""

    log: Annotated[LogSource, FLAT] = LogSource()
    output: Path = Path("fitted")
    """Directory to write: the store, the encoder, the report and the settings."""
    minutes: Annotated[float, Parameter(validator=Number(gte=0))] = 10.0
    """Time in minutes; searches end after half of it."""
    trials: Annotated[
        int | None, Parameter(validator=Number(gte=0), show_default="as the time allows")
    ] = None
    """Number of trials, whatever the time, so that equal runs give equal results."""
    seed: Annotated[int, Parameter(validator=Number(gte=0))] = 1
    """Seed of all draws."""
    relevant: Annotated[str, Parameter(metavar="TERM", show_default=POSITIVE), _CHOICES] = ""
    """Events that count as a hit: 'rating>=4', 'reward>0.5', signal=purchase."""
    candidates: Annotated[Literal["auto", "unseen", "all"], _CHOICES] = "auto"
    """Items to rank in trials: those new to the user, or all; auto: all if hits are repeats."""
    encoder: Annotated[
        Path | None, ENCODER_IN_USE, Parameter(show_default=lambda _: "made"), _CHOICES
    ] = None
    """Directory of an encoder to use as it is, as `penchant export` writes it."""
    source: Annotated[Path | None, Parameter(show_default="all-MiniLM-L6-v2"), _CHOICES] = None
    """Hugging Face directory of the encoder to make one from."""
    dimensions: Annotated[int, Parameter(validator=Number(gte=1)), _CHOICES] = 64
    """Length of the vectors of an encoder that is made."""
    finetune: Annotated[Literal["auto", "no", "projection", "encoder"], _CHOICES] = "auto"
    """Training to try: none, the projection, or the whole encoder; auto: the projection, if the
    log is long enough."""
    settings: Annotated[Pairs, Parameter(name="--set"), _CHOICES] = ()
    """A setting of the models, which is not searched; repeatable."""
    window: Annotated[int | None, _MAYBE] = None
    """Largest distance at which two likes of a user count as near, in places."""
    text_weight: Annotated[float | None, _MAYBE] = None
    """Weight of two texts' similarity beside co-occurrence."""
    shrinkage: Annotated[float | None, _MAYBE] = None
    """Likes at which an item's own vector weighs as much as its text."""
    peers: Annotated[Repeated, Parameter(name="--peer"), _CHOICES] = PEERS
    """A recommender to measure beside Penchant; repeatable."""

    @property
    def hits(self) -> str:
        """The term that defines a hit: the given one, or the default of the source."""
        return self.relevant or self.log.default_relevance

    @property
    def given_refresh(self) -> Mapping[str, float]:
        """Settings of the refresh that the user gave, by name."""
        given = {name: getattr(self, name) for name in REFRESH_VALUES}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class FitResult:
    """What a fit has made."""

    release: Manifest
    folder: Path
    """Folder of the release."""
    store: str
    """Address of the store beside which the release lies."""
    served: bool
    """Whether a server of that store serves the release; else it is to be published."""
    encoder: Path
    """Directory of the encoder."""
    report: Path
    check: LogCheck
    choice: FitChoice
    template: str
    """The template of the texts; empty: the items' own."""
    settings: Mapping[str, str]
    """Settings of the models that the user gave, by name."""
    measured: MeasuredFit | None
    said: list[str] = field(default_factory=list)
    """All sentences, in order."""


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
    return _Fit(request, say, progress).run()


class _Fit:
    """One fit, step by step."""

    def __init__(self, request: FitRequest, say: Callable[[str], None], progress: Progress) -> None:
        self._request, self._tell, self._progress = request, say, progress
        self._said: list[str] = []
        self._pairs = pairs_of("--set", request.settings)
        self._budget = Budget(request.minutes, request.trials)
        own = request.encoder or (None if request.log.store else self._made)
        self._config = config_of(own, request.settings, request.log.store)

    def run(self) -> FitResult:
        request = self._request
        stream, check = self._read()
        candidates = request.candidates
        if candidates == "auto":
            candidates = "all" if check.has_repeats else "unseen"
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
        encoder: Encoder
        if request.encoder is None and not request.log.store:
            stream, template = self._make_encoder(chooser, stream, check, start)
            encoder = self._encoder(self._made)
        else:
            encoder = self._encoder(self._served_encoder())
            stream, template = self._choose_texts(
                chooser, stream, start, lambda texts: encoder.encode(texts)
            )
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
        stream = read_fit_log(request.log, self._config.signals, request.hits, left_out, self._say)
        check = check_log(stream, left_out, system_clock())
        for sentence in (*check.sentences(), *(left_out.notes())):
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

    def _encoder(self, directory: Path) -> CachedEncoder:
        return CachedEncoder(load_onnx(directory), capacity=1 << 20)

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

    def _choose_texts(
        self,
        chooser: Chooser,
        stream: Stream,
        start: RefreshSettings,
        encode: Callable[[list[str]], Matrix],
    ) -> tuple[Stream, str]:
        """Chooses the template of the items' texts; those of a store are what its server has."""
        source = self._request.log
        fixed = bool(source.item_columns.text_template or source.dataset or source.store)
        templates = [] if fixed else text_templates(stream.items)
        if not templates:
            return stream, ""
        catalogs = {one: with_template(stream.items, one) for one in templates}
        usual = templates[min(1, len(templates) - 1)]
        ordered = [usual, *(one for one in templates if one != usual)]
        found = chooser.best(
            "Choosing the text of items",
            [FitChoice(one, start) for one in ordered],
            lambda choice: encode([item.text for item in catalogs[choice.vectors]]),
        )
        template = found.best.vectors
        self._say(f"The text of an item is made of its columns: {template}.")
        return dataclasses.replace(stream, items=catalogs[template]), template

    def _make_encoder(
        self, chooser: Chooser, stream: Stream, check: LogCheck, start: RefreshSettings
    ) -> tuple[Stream, str]:
        """Chooses the items' texts and their vectors, and exports the encoder."""
        request, notes = self._request, chooser.notes
        if notes.text("encoder") and (self._made / MANIFEST).is_file():
            template = notes.text("template")
            for sentence in json.loads(notes.text("encoder")):
                self._say(sentence)
            items = with_template(stream.items, template) if template else stream.items
            return dataclasses.replace(stream, items=items), template
        work, source = request.output / "work", request.source or default_source()
        tried = TextVectors(source, request.dimensions, work, request.seed, self._progress)
        before = len(self._said)
        stream, template = self._choose_texts(
            chooser, stream, start, lambda texts: tried.of(tried.kinds(texts)[0], texts)
        )
        kind, checkpoint = self._choose_kind(chooser, tried, stream, check, template, start)
        texts = [item.text for item in stream.items]
        plan = EncoderPlan(kind, texts, request.dimensions, checkpoint or source)
        plan.export(self._made, self._progress)
        notes.note_text("template", template)
        notes.note_text("encoder", json.dumps(self._said[before:]))
        shutil.rmtree(work, ignore_errors=True)
        return stream, template

    def _choose_kind(
        self,
        chooser: Chooser,
        tried: TextVectors,
        stream: Stream,
        check: LogCheck,
        template: str,
        start: RefreshSettings,
    ) -> tuple[str, Path | None]:
        """Chooses between the encoder as it comes, its principal components, and training."""
        texts = [item.text for item in stream.items]
        kinds = tried.kinds(texts) if check.has_texts or template else [FIRST_VALUES]
        choices = [FitChoice(f"{template}|{kind}", start) for kind in kinds]
        trained = None
        wanted = self._training(stream, kinds, bool(chooser.rungs))
        if wanted:
            part = first_events(stream, int(TRAINING * (1 - VALIDATION) * len(stream.events)))
            trained = tried.trained(wanted, part, self._request.minutes / 3)
        if trained is not None:
            choices.append(with_vectors(choices[0], f"{template}|{wanted}"))

        def vectors_of(choice: FitChoice) -> Matrix:
            kind = choice.vectors.rpartition("|")[2]
            if trained is not None and kind == wanted:
                return trained[1]
            return tried.of(kind, texts)

        found = chooser.best("Choosing the vectors of items", choices, vectors_of)
        kind = found.best.vectors.rpartition("|")[2]
        if found.tried > 1:
            self._say(described(found, f"Vectors ({', '.join(kinds)}, {wanted or 'no training'})"))
        self._say(f"Items are encoded by: {kind}, {self._request.dimensions} values.")
        return kind, trained[0] if trained is not None and kind == wanted else None

    def _training(self, stream: Stream, kinds: list[str], judged: bool) -> str:
        """The training to try; empty for none."""
        request = self._request
        if request.finetune == "no" or not judged:
            return ""
        if request.finetune == "encoder":
            return FINETUNED
        if request.finetune == "projection":
            return TRAINED
        enough = len(kinds) > 1 and int((stream.reward > 0).sum()) >= LEAST_LIKES
        timely = request.trials is not None or self._budget.left_s >= _TRAINING_S
        return TRAINED if enough and timely else ""

    def _choose_settings(
        self,
        chooser: Chooser,
        stream: Stream,
        vectors_name: str,
        start: RefreshSettings,
        vectors: Matrix,
    ) -> FitChoice:
        fixed = (*self._pairs, *self._request.given_refresh)
        contexts = any(event.context for event in stream.events)
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
        write_whole(report, fit_report(self._said, measured))
        own = not request.log.store
        address = request.log.store or f"lmdb:{(request.output / 'store').absolute()}"
        directory = self._served_encoder().absolute()
        if own:
            config = parse({"store": address, "encoder": str(directory), **self._pairs})
            refused = fill_store(stream, config, encoder, self._progress)
            if refused:
                self._say(f"The store refused {refused:,} events; see `penchant doctor`.")
        with open_server_store(address, request.settings, directory) as server:
            manifest = self._build(server, stream, choice, encoder, directory, measured, report)
            folder = server.releases / manifest.id
            if own:
                self._serve(server, folder)
        self._say(manifest.reasons)
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

    def _serve(self, server: ServerStore, folder: Path) -> None:
        with server.store.snapshot() as snapshot:
            served = read_head(snapshot).release
        if served == folder.name:
            return
        release = load_release(folder, "publish", load_onnx)
        switch_to(server.store, server.directory, server.config, release, self._progress)
