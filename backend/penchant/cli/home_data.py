"""`penchant home-data`: sentences of a smart home, and the log that teaches an encoder intents."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from penchant.domain.errors import ConfigError
from penchant.training.home.corpus import Sentence, build, exemplars
from penchant.training.home.out_of_scope import outside
from penchant.training.home.templates import LANGUAGES
from penchant.training.home.training_log import lessons
from penchant_sdk.home.spelling import spelt

ITEMS, EVENTS = "items.csv", "events.csv"
SENTENCES, OUTSIDE = "sentences", "outside"


def home_data(
    output: Annotated[Path, typer.Option(help="Directory to write.")],
    language: Annotated[
        list[str] | None,
        typer.Option(help="en or zh-CN; repeatable.", show_default="both"),
    ] = None,
    per_template: Annotated[
        int, typer.Option(help="Distinct sentences of each template at most.", min=1)
    ] = 20,
    seed: Annotated[int, typer.Option(help="Of splits and draws.")] = 0,
) -> None:
    """Writes what `penchant finetune` teaches an encoder intents with.

    Sentences are Home Assistant's own templates, said with a seeded home's names, and split by
    template; the files beside the log hold what is only measured.
    """
    output.mkdir(parents=True, exist_ok=True)
    console = Console(highlight=False)
    written = write(output, language or list(LANGUAGES), per_template, seed)
    table = Table("language", "part", "sentences")
    for (of, part), count in sorted(written.items()):
        table.add_row(of, part, f"{count:,}")
    console.print(table)
    console.print(
        f"Next: [bold]penchant finetune --items {output / ITEMS} --events {output / EVENTS} "
        "--objective next-item --method lora[/bold]; docs/measurements/home.md has the recipe."
    )


def write(
    output: Path, languages: Sequence[str], per_template: int = 20, seed: int = 0
) -> Counter[tuple[str, str]]:
    """Writes all files; returns how many sentences each language and part has.

    Raises:
        ConfigError: a language that there is nothing for, or a package is missing.
    """
    if unknown := set(languages) - set(LANGUAGES):
        raise ConfigError(f"--language: got {unknown.pop()!r}, expected en or zh-CN")
    counts: Counter[tuple[str, str]] = Counter()
    items: dict[str, str] = {}
    events: list[tuple[str, str, str, int]] = []
    for language in languages:
        sentences = build(language, per_template, seed)
        counts.update((language, sentence.part) for sentence in sentences)
        for row in lessons(sentences, seed, str.split if language == "en" else list):
            id = items.setdefault(spelt(row.item), str(len(items)))
            events.append((f"{language}/{row.user}", id, row.signal, row.second))
        _write_rows(output / f"{SENTENCES}-{language}.jsonl", map(dataclasses.asdict, sentences))
        _write_rows(output / f"exemplars-{language}.jsonl", map(_exemplar, exemplars(sentences)))
        strange = outside(language, seed)
        counts.update((language, f"outside, {kind}") for kind, _ in strange)
        rows = ({"kind": kind, "text": text} for kind, text in strange)
        _write_rows(output / f"{OUTSIDE}-{language}.jsonl", rows)
    events.sort(key=lambda row: row[3])
    _write_csv(output / ITEMS, ("item_id", "text"), ((id, text) for text, id in items.items()))
    _write_csv(output / EVENTS, ("user_id", "item_id", "signal", "timestamp"), events)
    return counts


def _exemplar(sentence: Sentence) -> dict[str, str]:
    """As the SDK's home client reads it."""
    row = {"text": sentence.text, "intent": sentence.intent}
    row |= {"kind": sentence.domain} if sentence.domain else {}
    return row | ({"change": sentence.change} if sentence.change else {})


def _write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_csv(path: Path, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(rows)
