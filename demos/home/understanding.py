"""Accuracy of the demo's home on new sentences, measured on the spot, and its chart."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from demos.home.house import LANGUAGES
from penchant.domain.arrays import Float64, Mask
from penchant.report import chart
from penchant.training.home.corpus import FREE, SEEN, draw_sentences
from penchant.training.home.out_of_scope import out_of_scope
from penchant.training.home.sentence_templates import HELD_OUT
from penchant_sdk.home import HomeClient

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PARTS = {
    SEEN: "sentences of\nseen templates",
    HELD_OUT: "templates\nnever seen",
    FREE: "free phrasing\n(ours, few)",
}
"""Names of the measured parts of the corpus, as charts show them."""
OUTSIDE = "outside"
"""The part of sentences that no home can answer, which should be refused."""
_BINS = np.array([0.0, 0.4, 0.6, 0.75, 0.85, 0.95, 1.0001])


@dataclass(frozen=True, slots=True)
class MeasuredPart:
    """Results on one part of the sentences of one language."""

    language: str
    part: str
    right: Mask
    """Whether the intent is correct (for `OUTSIDE`: the sentence refused), shape (n,)."""
    confidence: Float64
    """Stated confidence, shape (n,); 0 if the sentence was refused."""


def measure(home: HomeClient, language: str, most: int, seed: int = 0) -> list[MeasuredPart]:
    """Lets the home interpret sentences that it was not trained on, as free text.

    Args:
        home: client of a home registered in this language.
        language: language of the sentences.
        most: most sentences of each part.
        seed: seed of the sample of sentences.
    """
    rng = random.Random(seed)
    drawn = draw_sentences(language)
    measured = []
    for part in PARTS:
        own = [sentence for sentence in drawn if sentence.part == part]
        own = rng.sample(own, min(most, len(own)))
        frames = home.understand([sentence.text for sentence in own])
        right = [f is not None and f.intent == s.intent for f, s in zip(frames, own, strict=True)]
        confidence = [f.confidence if f else 0.0 for f in frames]
        measured.append(MeasuredPart(language, part, np.array(right), np.array(confidence)))
    unanswerable = [text for _, text in out_of_scope(language)]
    frames = home.understand(rng.sample(unanswerable, min(most, len(unanswerable))))
    refused = np.array([frame is None for frame in frames])
    return [*measured, MeasuredPart(language, OUTSIDE, refused, np.zeros(len(frames)))]


def draw(measured: Sequence[MeasuredPart], path: Path) -> None:
    """Draws the accuracy by part and language, and the reliability of stated confidences.

    Args:
        measured: results of all parts and languages.
        path: PNG file to write.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    figure = chart.new_figure((9.5, 4.4), "How well does the home understand new sentences?")
    bars, reliability = figure.subplots(1, 2, width_ratios=(3, 2))
    _draw_bars(bars, measured)
    _draw_reliability(reliability, measured)
    chart.save(figure, path)


def _draw_bars(axes: Axes, measured: Sequence[MeasuredPart]) -> None:
    labels = {**PARTS, OUTSIDE: "not for a home:\nrefused"}
    for place, (language, colour) in enumerate((("en", chart.GREEN), ("zh-CN", chart.GREY))):
        own = {one.part: one for one in measured if one.language == language}
        shares = [float(own[part].right.mean()) for part in labels]
        spots = np.arange(len(labels)) + 0.4 * place - 0.2
        name = LANGUAGES[language]
        drawn = axes.bar(spots, shares, 0.38, color=colour, label=name)
        axes.bar_label(drawn, [f"{share:.0%}" for share in shares], fontsize=8, color=chart.INK)
    axes.set_xticks(np.arange(len(labels)), list(labels.values()), fontsize=8)
    axes.set_ylim(0, 1.12)
    chart.plain(axes, "share of correct intents", "By part of the sentences")
    chart.legend(axes, "upper right", columns=2)


def _draw_reliability(axes: Axes, measured: Sequence[MeasuredPart]) -> None:
    for language, colour in (("en", chart.GREEN), ("zh-CN", chart.GREY)):
        own = [one for one in measured if one.language == language and one.part in PARTS]
        confidence = np.concatenate([one.confidence for one in own])
        right = np.concatenate([one.right for one in own])
        bins = np.digitize(confidence, _BINS) - 1
        shown = [number for number in range(len(_BINS) - 1) if (bins == number).sum() >= 5]
        axes.plot(
            [confidence[bins == number].mean() for number in shown],
            [right[bins == number].mean() for number in shown],
            "o-",
            color=colour,
            label=LANGUAGES[language],
        )
    axes.plot([0, 1], [0, 1], ":", color=chart.RED, linewidth=1)
    axes.set_xlabel("stated confidence")
    chart.plain(axes, "share of correct intents", "By stated confidence")
    axes.set_xlim(0, 1.03)
    axes.set_ylim(0, 1.05)
