"""How well and how fast free text is masked: precision and recall by kind, microseconds by text.

python -m benchmarks.mask_quality [--of-each 500] [--seed 1]
"""

from __future__ import annotations

import argparse
import re
import timeit
from collections import Counter
from functools import partial

from benchmarks.personal_texts import MAKERS, LabelledText, labelled_texts
from penchant.domain.masking import findings, masked
from penchant.logs.datasets.debian_snapshot import read_items
from penchant.logs.datasets.movielens import read_movielens

TIMED = {
    "no digit": "space opera with pirates and a heist in the desert at night",
    "a year": "a film from 1999 like the one about a red pill",
    "an address": "send it to ann@example.org, please, as soon as you can",
    "a number": "call me at +49 170 1234567 when the film has arrived",
}


def counts(texts: list[LabelledText]) -> dict[str, tuple[int, int, int]]:
    """By kind: what was found rightly, found wrongly, and missed."""
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for one in texts:
        found = {finding.kind for finding in findings(one.text)}
        wrong.update(found - {one.kind})
        if one.kind:
            hidden = one.kind in found and _hides(one)
            right[one.kind] += hidden
            missed[one.kind] += not hidden
    return {kind: (right[kind], wrong[kind], missed[kind]) for kind in MAKERS}


def _hides(one: LabelledText) -> bool:
    """Whether less than four characters of what was planted are left."""
    value = one.planted.rpartition("=")[2].rpartition(": ")[2].removeprefix("phone ")
    left = re.sub(r"\[[a-z]+\]", "", masked(one.text))
    return not any(value[place : place + 4] in left for place in range(max(1, len(value) - 3)))


def ordinary_texts() -> list[str]:
    """Texts of films and of games, as their catalogs have them."""
    films = [film.text for film in read_movielens().films]
    return films + [item.text for item in read_items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--of-each", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    texts = labelled_texts(options.seed, options.of_each)
    for kind, (right, wrong, missed) in counts(texts).items():
        precision = right / (right + wrong) if right + wrong else 1.0
        recall = right / (right + missed)
        print(f"{kind:8} precision {precision:.3f}  recall {recall:.3f}")
    ordinary = ordinary_texts()
    changed = [text for text in ordinary if masked(text) != text]
    print(f"ordinary texts changed: {len(changed)} of {len(ordinary)}")
    for text in changed:
        print("   ", text[:100])
    for name, text in TIMED.items():
        runs = timeit.repeat(partial(masked, text), number=2000, repeat=7)
        print(f"{name:12} {min(runs) / 2000 * 1e6:.2f} us")


if __name__ == "__main__":
    main()
