"""Which pages a topic keeps ads from: `python -m benchmarks.avoided_pages --encoder DIR`.

`avoided_pages.tsv` holds 84 short texts by the author of this benchmark: for each of six
topics six about it and four that share words or a theme with it but are harmless, and 24 about
anything else, which are compared with all six topics.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from penchant.encoder.library import load_onnx
from penchant_sdk.ads.brand_safety import THRESHOLD, is_about

PAGES = Path(__file__).with_name("avoided_pages.tsv")
KINDS = ("about", "near", "safe")
THRESHOLDS = (0.45, 0.5, 0.55, 0.6, 0.65)


def main() -> None:
    """Prints the share of each kind of page from which ads are kept, in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path, default=Path(".penchant/encoder"))
    encoder = load_onnx(parser.parse_args().encoder)
    rows = [line.split("\t") for line in PAGES.read_text(encoding="utf-8").splitlines()]
    topics = sorted({topic for topic, _, _ in rows} - {"-"})
    vectors = dict(zip(topics, np.asarray(encoder.encode(topics)).tolist(), strict=True))
    print(f"Threshold in use: {THRESHOLD}\n")
    print("| kept off from | pages about the topic | harmless, but near it | other pages |")
    print("|---|---|---|---|")
    for threshold in THRESHOLDS:
        kept_off: defaultdict[str, list[bool]] = defaultdict(list)
        for topic, kind, text in rows:
            page = np.asarray(encoder.encode([text]))[0].tolist()
            for one in topics if topic == "-" else [topic]:
                kept_off[kind].append(is_about(page, vectors[one], threshold))
        cells = (f"{np.mean(kept_off[kind]):.1%}" for kind in KINDS)
        print(f"| {threshold:.2f} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
