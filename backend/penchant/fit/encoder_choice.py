"""Chooses what an item's vector is made of: the text, and the encoder with its projection."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from penchant.domain.types import Matrix
from penchant.encoder.bundle import MANIFEST
from penchant.encoder.source import default_source
from penchant.fit.chooser import Chooser, described
from penchant.fit.fit_request import FitRequest
from penchant.fit.item_vectors_tried import (
    FINETUNED,
    FIRST_VALUES,
    LEAST_LIKES,
    TRAINED,
    EncoderPlan,
    TextVectors,
)
from penchant.fit.trial import TRAINING, VALIDATION, FitChoice
from penchant.logs.assumed_columns import Say
from penchant.logs.item_text_templates import text_templates, usual_first, with_template
from penchant.logs.log_check import LogCheck
from penchant.logs.stream import Stream, first_events
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.system.progress import Progress

_TRAINING_S = 90.0
"""Seconds that must be left to train a projection."""


@dataclass(frozen=True, slots=True)
class EncoderChoice:
    """The choices of one fit before its settings are searched."""

    request: FitRequest
    chooser: Chooser
    start: RefreshSettings
    """Settings of the refresh that all of them are compared with."""
    say: Say
    progress: Progress

    @property
    def made(self) -> Path:
        """Directory of the encoder that is made."""
        return self.request.output / "encoder"

    def texts(
        self, stream: Stream, encode: Callable[[list[str]], Matrix], say: Say
    ) -> tuple[Stream, str]:
        """Chooses the template of the items' texts; those of a store are what its server has.

        Args:
            stream: items and log.
            encode: encodes texts, giving unit vectors of shape (n, d).
            say: called with what was chosen.

        Returns:
            The stream with the texts, and the template; empty: the items' own texts.
        """
        templates = text_templates(stream.items) if self.request.log.makes_texts else []
        if not templates:
            return stream, ""
        catalogs = {one: with_template(stream.items, one) for one in templates}
        found = self.chooser.best(
            "Choosing the text of items",
            [FitChoice(one, self.start) for one in usual_first(templates)],
            lambda choice: encode([item.text for item in catalogs[choice.vectors]]),
        )
        template = found.best.vectors
        say(f"The text of an item is made of its columns: {template}.")
        return dataclasses.replace(stream, items=catalogs[template]), template

    def make(self, stream: Stream, check: LogCheck) -> tuple[Stream, str]:
        """Chooses the items' texts and their vectors, and exports the encoder.

        Returns:
            As `texts` does.

        Raises:
            ConfigError: PyTorch is missing, or the encoder can't be read or exported.
        """
        request, notes = self.request, self.chooser.notes
        if notes.text("encoder") and (self.made / MANIFEST).is_file():
            template = notes.text("template")
            self.chooser.budget.spend(int(notes.text("spent")))
            for sentence in json.loads(notes.text("encoder")):
                self.say(sentence)
            items = with_template(stream.items, template) if template else stream.items
            return dataclasses.replace(stream, items=items), template
        work, source = request.output / "work", request.source or default_source()
        tried = TextVectors(source, request.dimensions, work, request.seed, self.progress)
        said: list[str] = []

        def say(sentence: str) -> None:
            said.append(sentence)
            self.say(sentence)

        def encode(texts: list[str]) -> Matrix:
            return tried.of(tried.kinds(texts)[0], texts)

        stream, template = self.texts(stream, encode, say)
        kind, checkpoint = self._kind(tried, stream, check.has_texts or bool(template), say)
        texts = [item.text for item in stream.items]
        plan = EncoderPlan(kind, texts, request.dimensions, tried.max_tokens, checkpoint or source)
        plan.export(self.made, self.progress)
        notes.note_text("template", template)
        notes.note_text("spent", str(self.chooser.budget.spent))
        notes.note_text("encoder", json.dumps(said))
        shutil.rmtree(work, ignore_errors=True)
        return stream, template

    def _kind(
        self, tried: TextVectors, stream: Stream, has_texts: bool, say: Say
    ) -> tuple[str, Path | None]:
        """Chooses between the encoder as it comes, its principal components, and training."""
        texts = [item.text for item in stream.items]
        kinds = tried.kinds(texts) if has_texts else [FIRST_VALUES]
        trained = None
        wanted = self._training(stream, has_texts)
        if wanted:
            part = first_events(stream, int(TRAINING * (1 - VALIDATION) * len(stream.events)))
            trained = tried.trained(wanted, part, self.request.minutes / 3)
        if trained is not None:
            kinds.append(wanted)

        def vectors_of(choice: FitChoice) -> Matrix:
            if trained is not None and choice.vectors == wanted:
                return trained[1]
            return tried.of(choice.vectors, texts)

        choices = [FitChoice(kind, self.start) for kind in kinds]
        found = self.chooser.best("Choosing the vectors of items", choices, vectors_of)
        kind = found.best.vectors
        if found.tried > 1:
            say(described(found, f"Vectors ({', '.join(kinds)})"))
        say(f"Items are encoded by: {kind}, {self.request.dimensions} values.")
        return kind, trained[0] if trained is not None and kind == wanted else None

    def _training(self, stream: Stream, has_texts: bool) -> str:
        """The training to try; empty for none."""
        request, chooser = self.request, self.chooser
        if request.finetune == "no" or not chooser.rungs:
            return ""
        if request.finetune != "auto":
            return FINETUNED if request.finetune == "encoder" else TRAINED
        enough = has_texts and int((stream.reward > 0).sum()) >= LEAST_LIKES
        timely = request.trials is not None or chooser.budget.left_s >= _TRAINING_S
        return TRAINED if enough and timely else ""
