"""Which pages a topic keeps ads from: `python -m benchmarks.brand_safety --encoder DIR`.

`brand_safety_pages.tsv` holds 84 short texts by the author of this benchmark: for each of six
topics six about it and four that share words with it but are harmless, and 24 about anything else.
The threshold is chosen on every other text; the others judge it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from penchant.encoder.base import Encoder
from penchant.encoder.library import load_onnx
from penchant_sdk.ads.brand_safety import THRESHOLD, closest, passages

PAGES = Path(__file__).with_name("brand_safety_pages.tsv")
THRESHOLDS = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45)


@dataclass(frozen=True, slots=True)
class JudgedPage:
    """A page, the topic it is compared with, and whether it is about it."""

    topic: str
    kind: str
    """`about`, `near` or `safe`."""
    similarity: float


def judged_pages(encoder: Encoder, lines: Iterable[str]) -> list[JudgedPage]:
    """Compares each page with its topic, and the harmless ones of no topic with all."""
    rows = [tuple(line.split("\t")) for line in lines]
    topics = sorted({topic for topic, _, _ in rows} - {"-"})
    vectors = dict(zip(topics, np.asarray(encoder.encode(topics)).tolist(), strict=True))
    found = []
    for topic, kind, text in rows:
        page = np.asarray(encoder.encode(passages(text))).tolist()
        for one in topics if topic == "-" else [topic]:
            found.append(JudgedPage(one, kind, closest(page, vectors[one])))
    return found


def share(pages: Iterable[JudgedPage], kind: str, threshold: float) -> float:
    """The share of the pages of a kind from which ads are kept."""
    return float(np.mean([one.similarity >= threshold for one in pages if one.kind == kind]))


def main() -> None:
    """Prints a table for each half of the texts in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path, default=Path(".penchant/encoder"))
    encoder = load_onnx(parser.parse_args().encoder)
    lines = PAGES.read_text(encoding="utf-8").splitlines()
    halves = [judged_pages(encoder, lines[start::2]) for start in (0, 1)]
    print(f"Threshold in use: {THRESHOLD}\n")
    print("| kept off from | about, half 1 | near | safe | about, half 2 | near | safe |")
    print("|---|---|---|---|---|---|---|")
    for threshold in THRESHOLDS:
        cells = [
            f"{share(half, kind, threshold):.1%}"
            for half in halves
            for kind in ("about", "near", "safe")
        ]
        print(f"| {threshold:.2f} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
