"""How well are a smart home's intents understood, and out-of-scope sentences refused?

    python benchmarks/intents.py --encoder DIR --data DIR

The data is a directory written by `penchant home-data`, the encoder a directory written by
`penchant export` from an encoder fine-tuned on it; `docs/measurements/home.md` has the figures and
the recipe.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from rich.console import Console
from rich.table import Table

from penchant.domain.arrays import Float32, Float64, Mask
from penchant.encoder.onnx import OnnxEncoder
from penchant.training.home.sentence_templates import LANGUAGES
from penchant_sdk.home import Voting
from penchant_sdk.home._nearest import Exemplar, Nearest
from penchant_sdk.home.spelling import spelt
from penchant_sdk.records import Embeddings

PARTS = ("seen", "held-out", "validation", "free")
_CHUNK = 64


@dataclass(frozen=True, slots=True)
class IntentResults:
    """The result of classifying n sentences."""

    right: Mask
    """Whether the intent with most votes is the right one, shape (n,)."""
    nearest: Float32
    """Cosine to the nearest known sentence, shape (n,)."""
    confidence: Float64
    """Share of the votes for the intent, shape (n,)."""


class IntentClassifier:
    """Classifies sentences of one language as the SDK's home client does."""

    def __init__(self, encoder: OnnxEncoder, data: Path, language: str) -> None:
        """Reads and encodes the known sentences.

        Args:
            encoder: encodes all sentences.
            data: directory written by `penchant home-data`.
            language: en or zh-CN.
        """
        self._encoder = encoder
        known = tuple(Exemplar(**row) for row in rows(data / f"exemplars-{language}.jsonl"))
        self._vectors = self.encode([one.text for one in known])
        voting = Voting(refuse_below=-1.0)
        data_of = self._vectors.astype("<f4").tobytes()
        parts = [Embeddings(data_of, encoder.dimensions, encoder.version)]
        self._nearest = Nearest(known, parts, voting)

    def encode(self, texts: Sequence[str]) -> Float32:
        """Unit vectors of texts, shape (n, d)."""
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        vectors = np.empty((len(texts), self._encoder.dimensions), np.float32)
        for start in range(0, len(order), _CHUNK):
            chunk = order[start : start + _CHUNK]
            vectors[chunk] = self._encoder.encode([spelt(texts[place]) for place in chunk])
        return vectors

    def understand(self, texts: Sequence[str], intents: Sequence[str]) -> IntentResults:
        """Classifies sentences without refusing any.

        Args:
            texts: n sentences.
            intents: their right intents.
        """
        vectors = self.encode(texts)
        frames = [self._nearest.frame(vector) for vector in vectors]
        pairs = zip(frames, intents, strict=True)
        return IntentResults(
            np.array([frame is not None and frame.intent == intent for frame, intent in pairs]),
            (vectors @ self._vectors.T).max(axis=1),
            np.array([frame.confidence if frame else 0.0 for frame in frames]),
        )


def rows(path: Path) -> list[dict[str, Any]]:
    """Reads a file with one JSON object a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def auroc(inside: Float32, outside: Float32) -> float:
    """Probability that a score from inside exceeds one from outside; ties count half.

    >>> auroc(np.array([0.9, 0.8], np.float32), np.array([0.8, 0.1], np.float32))
    0.875
    """
    ordered = np.sort(outside)
    below = np.searchsorted(ordered, inside, "left") + np.searchsorted(ordered, inside, "right")
    return float(below.mean() / (2 * len(outside)))


def measure(encoder: OnnxEncoder, data: Path, language: str) -> dict[str, Any]:
    """Accuracies, AUROCs, and the thresholds chosen on the validation part."""
    classifier = IntentClassifier(encoder, data, language)
    sentences = rows(data / f"sentences-{language}.jsonl")
    outside = rows(data / f"outside-{language}.jsonl")
    found = {part: classifier.understand(*_texts_of(sentences, part)) for part in (*PARTS, "near")}
    inside = np.concatenate([found["seen"].nearest, found["held-out"].nearest])
    strange = {
        kind: classifier.understand([row["text"] for row in own], [""] * len(own)).nearest
        for kind in dict.fromkeys(row["kind"] for row in outside)
        if (own := [row for row in outside if row["kind"] == kind])
    } | {"near": found["near"].nearest}
    refuse_below = float(np.quantile(found["validation"].nearest, 0.02))
    validation = found["validation"]
    sure_above = surest(validation)
    return {
        "accuracy": {part: float(found[part].right.mean()) for part in PARTS},
        "sentences": {part: len(found[part].right) for part in PARTS},
        "auroc": {kind: auroc(inside, values) for kind, values in strange.items()}
        | {"outside": auroc(inside, np.concatenate([strange[k] for k in strange if k != "near"]))},
        "refuse_below": refuse_below,
        "refused": {kind: float((values < refuse_below).mean()) for kind, values in strange.items()}
        | {part: float((found[part].nearest < refuse_below).mean()) for part in PARTS},
        "sure_above": sure_above,
        "sure": {part: float((found[part].confidence >= sure_above).mean()) for part in PARTS},
        "right where sure": {
            part: float(found[part].right[found[part].confidence >= sure_above].mean())
            for part in PARTS
        },
    }


def surest(validation: IntentResults, precision: float = 0.99) -> float:
    """Smallest share of votes, in steps of 0.05, above which this share of intents is right."""
    for step in range(30, 100, 5):
        sure = validation.confidence >= step / 100
        if sure.any() and validation.right[sure].mean() >= precision:
            return step / 100
    return 1.0


def _texts_of(sentences: Sequence[dict[str, Any]], part: str) -> tuple[list[str], list[str]]:
    own = [row for row in sentences if row["part"] == part]
    return [row["text"] for row in own], [row["intent"] for row in own]


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark with command-line arguments; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--encoder", type=Path, metavar="DIR", required=True)
    parser.add_argument("--data", type=Path, metavar="DIR", required=True)
    parser.add_argument("--language", action="append", choices=LANGUAGES)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    options = parser.parse_args(arguments)
    encoder = OnnxEncoder.load(options.encoder, threads=2)
    results = {
        language: measure(encoder, options.data, language)
        for language in options.language or LANGUAGES
    }
    table = Table("measure", *results)
    for name in next(iter(results.values())):
        first = next(iter(results.values()))[name]
        for key in first if isinstance(first, dict) else [""]:
            values = [of[name][key] if key else of[name] for of in results.values()]
            table.add_row(f"{name} {key}".strip(), *(f"{value:.4g}" for value in values))
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
