"""Training data of the home's encoder: sentences by part, and the log that teaches intents."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from penchant.domain.errors import ConfigError
from penchant.system.durable_file import write_whole
from penchant.system.whole_directory import check_makeable
from penchant.training.home.corpus import Sentence, draw_sentences, exemplars
from penchant.training.home.out_of_scope import out_of_scope
from penchant.training.home.sentence_templates import LANGUAGES
from penchant.training.home.training_log import training_log

ITEMS, EVENTS = "items.csv", "events.csv"


@dataclass(frozen=True, slots=True)
class HomeDataRequest:
    """The training data of the home's encoder, and the directory to write it to."""

    output: Path
    """Directory to write."""
    languages: Annotated[
        tuple[str, ...], Parameter(name="--language", show_default="both", negative=())
    ] = LANGUAGES
    """Language of the sentences, en or zh-CN; repeatable."""
    per_template: int = 20
    """Maximum number of distinct sentences per template, 1 or more."""
    templates_alone: bool = False
    """Leave out paraphrases of training sentences, and sentences that command nothing."""
    seed: int = 0
    """Seed of the splits and the draws."""

    def __post_init__(self) -> None:
        if unknown := set(self.languages) - set(LANGUAGES):
            raise ConfigError(f"language: got {unknown.pop()!r}, expected en or zh-CN")
        if self.per_template < 1:
            raise ConfigError(f"per_template: got {self.per_template}, expected 1 or more")


def write_home_data(
    request: HomeDataRequest, spell: Callable[[str], str]
) -> Mapping[tuple[str, str], int]:
    """Writes items and events for `finetune`, and beside them the sentences to measure with.

    Files: `items.csv`, `events.csv`, and for each language `sentences-L.jsonl` (all parts),
    `exemplars-L.jsonl` (as the SDK's home client reads them) and `outside-L.jsonl` (sentences that
    no home should act on).

    Args:
        request: languages, sizes and output.
        spell: spells a text for the encoder, as the SDK's home client does; here, since the backend
            never imports the SDK.

    Returns:
        Number of sentences by language and part.

    Raises:
        ConfigError: a package with sentences or texts is missing, or the output is no directory.
    """
    check_makeable(request.output)
    output, seed = request.output, request.seed
    counts: Counter[tuple[str, str]] = Counter()
    items: dict[str, str] = {}
    events: list[tuple[str, str, str, int]] = []
    for language in request.languages:
        sentences = draw_sentences(
            language, request.per_template, seed, rephrased=not request.templates_alone
        )
        counts.update((language, sentence.part) for sentence in sentences)
        for row in training_log(sentences, seed, str.split if language == "en" else list):
            id_ = items.setdefault(spell(row.item), str(len(items)))
            events.append((f"{language}/{row.user}", id_, row.signal, row.second))
        _write_rows(output / f"sentences-{language}.jsonl", map(dataclasses.asdict, sentences))
        known = map(_exemplar, exemplars(sentences))
        _write_rows(output / f"exemplars-{language}.jsonl", known)
        outside = out_of_scope(language, seed)
        counts.update((language, f"outside, {kind}") for kind, _ in outside)
        rows = ({"kind": kind, "text": text} for kind, text in outside)
        _write_rows(output / f"outside-{language}.jsonl", rows)
    events.sort(key=lambda row: row[3])
    _write_csv(output / ITEMS, ("item_id", "text"), ((id_, text) for text, id_ in items.items()))
    _write_csv(output / EVENTS, ("user_id", "item_id", "signal", "timestamp"), events)
    return counts


def _exemplar(sentence: Sentence) -> dict[str, str]:
    row = {"text": sentence.text, "intent": sentence.intent}
    row |= {"kind": sentence.domain} if sentence.domain else {}
    return row | ({"change": sentence.change} if sentence.change else {})


def _write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    write_whole(path, "\n".join(lines) + "\n")


def _write_csv(path: Path, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows(rows)
    write_whole(path, text.getvalue())
