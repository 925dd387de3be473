"""How well the demo's home understands, measured there and then, and the picture of it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

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
OUTSIDE = "outside"
_BINS = np.array([0.0, 0.4, 0.6, 0.75, 0.85, 0.95, 1.0001])


@dataclass(frozen=True, slots=True)
class MeasuredPart:
    """One part of one language."""

    language: str
    part: str
    right: NDArray[np.bool_]
    """Whether the intent is the sentence's own, shape (n,); of `outside` whether it was refused."""
    confidence: NDArray[np.float64]
    """Shape (n,); 0 where a sentence was refused."""


def measure(home: HomeClient, language: str, most: int, seed: int = 0) -> list[MeasuredPart]:
    """Asks the home what it makes of sentences that it never saw, as free text.

    Args:
        home: registered, of this language.
        language: of the sentences.
        most: Sentences of each part at most.
        seed: of the draw.
    """
    rng = random.Random(seed)
    drawn = draw_sentences(language)
    measured = []
    for part in PARTS:
        own = [sentence for sentence in drawn if sentence.part == part]
        own = rng.sample(own, min(most, len(own)))
        frames = home.understand([sentence.text for sentence in own])
        right = [f is not None and f.intent == s.intent for f, s in zip(frames, own, strict=True)]
        sure = [f.confidence if f else 0.0 for f in frames]
        measured.append(MeasuredPart(language, part, np.array(right), np.array(sure)))
    strange = [text for _, text in out_of_scope(language)]
    frames = home.understand(rng.sample(strange, min(most, len(strange))))
    refused = np.array([frame is None for frame in frames])
    return [*measured, MeasuredPart(language, OUTSIDE, refused, np.zeros(len(frames)))]


def draw(measured: Sequence[MeasuredPart], path: Path) -> None:
    """Writes a PNG: accuracy by part and language, and how far a confidence can be trusted.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    figure = chart.new_figure((9.5, 4.4), "What a smart home understands")
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
        drawn = axes.bar(spots, shares, 0.38, color=colour, label=language)
        axes.bar_label(drawn, [f"{share:.0%}" for share in shares], fontsize=8, color=chart.INK)
    axes.set_xticks(np.arange(len(labels)), list(labels.values()), fontsize=8)
    axes.set_ylim(0, 1.12)
    chart.plain(axes, "", "share of intents that are right, by what was trained on")
    chart.legend(axes, "upper right", columns=2)


def _draw_reliability(axes: Axes, measured: Sequence[MeasuredPart]) -> None:
    for language, colour in (("en", chart.GREEN), ("zh-CN", chart.GREY)):
        own = [one for one in measured if one.language == language and one.part in PARTS]
        sure = np.concatenate([one.confidence for one in own])
        right = np.concatenate([one.right for one in own])
        bins = np.digitize(sure, _BINS) - 1
        shown = [number for number in range(len(_BINS) - 1) if (bins == number).sum() >= 5]
        axes.plot(
            [sure[bins == number].mean() for number in shown],
            [right[bins == number].mean() for number in shown],
            "o-",
            color=colour,
            label=language,
        )
    axes.plot([0, 1], [0, 1], ":", color=chart.RED, linewidth=1)
    axes.set_xlabel("confidence", fontsize=8)
    chart.plain(axes, "", "share right, by stated confidence")
    axes.set_xlim(0, 1.03)
    axes.set_ylim(0, 1.05)
