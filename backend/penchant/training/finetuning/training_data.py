"""From the log, and what an earlier round learnt of it, to what this round trains on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from penchant.domain.errors import ConfigError
from penchant.logs.stream import Stream
from penchant.training.finetuning.finetune_settings import FinetuneSettings
from penchant.training.finetuning.losses import NEXT_ITEM
from penchant.training.finetuning.provenance import Round, Span
from penchant.training.finetuning.sequences import (
    History,
    Segment,
    histories_of,
    plan_segments,
)
from penchant.training.finetuning.time_split import Parts, split_by_time


@dataclass(frozen=True, slots=True)
class Material:
    """What one round trains on and is judged by."""

    histories: tuple[History, ...]
    """Of the new events, then of the replayed ones."""
    segments: tuple[Segment, ...]
    """In the order of training, `settings.segments` for each step."""
    validation: range
    """Positions of the stream."""
    test: range
    earlier_test: range
    """The test part of the round before; empty without one."""
    round: Round
    """What to note when all is done."""


def gather(stream: Stream, earlier: Sequence[Round], settings: FinetuneSettings) -> Material:
    """Chooses and orders the events of a round.

    The first round's events are the whole stream. A later round's are those behind the end of the
    log that the round before had; a share of its steps is taken from what earlier rounds trained
    on. No round trains on a validation or test part of another.

    Raises:
        ConfigError: there are too few events.
    """
    begin = int(np.searchsorted(stream.at_us, earlier[-1].log_until_us)) if earlier else 0
    if begin == len(stream.at_us):
        raise ConfigError("events: none is newer than what the last encoder learnt from; give more")
    parts = _moved(
        split_by_time(stream.at_us[begin:], settings.validation_fraction, settings.test_fraction),
        begin,
    )
    train = _span(stream, parts.train)
    likes_only = settings.objective == NEXT_ITEM
    new = histories_of(stream, train.holds(stream.at_us), likes_only=likes_only)
    replayed = _any_holds([row.train for row in earlier], stream)
    old = histories_of(stream, replayed, likes_only=likes_only)
    return Material(
        histories=(*new, *old),
        segments=tuple(_order(new, old, settings)),
        validation=parts.validation,
        test=parts.test,
        earlier_test=_positions(stream, earlier[-1].test) if earlier else range(0),
        round=Round(train, _span(stream, parts.test), int(stream.at_us[-1]) + 1),
    )


def _order(
    new: Sequence[History], old: Sequence[History], settings: FinetuneSettings
) -> list[Segment]:
    """In each step first the new segments, then the replayed ones."""
    replayed = round(settings.replay_share * settings.segments) if old else 0
    fresh, length = settings.segments - replayed, settings.segment_likes
    steps = max(settings.steps, settings.head_steps)
    ahead = plan_segments(new, length, steps * fresh, settings.seed)
    back = plan_segments(old, length, steps * replayed, settings.seed + 1) if replayed else []
    behind = [(number + len(new), start) for number, start in back]
    order: list[Segment] = []
    for step in range(steps):
        order += ahead[step * fresh : (step + 1) * fresh]
        order += behind[step * replayed : (step + 1) * replayed]
    return order


def _any_holds(spans: Sequence[Span], stream: Stream) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    inside = np.zeros(len(stream.at_us), np.bool_)
    for span in spans:
        inside |= span.holds(stream.at_us)
    return inside


def _moved(parts: Parts, by: int) -> Parts:
    def move(part: range) -> range:
        return range(part.start + by, part.stop + by)

    return Parts(move(parts.train), move(parts.validation), move(parts.test))


def _span(stream: Stream, part: range) -> Span:
    if not part:
        return Span(0, 0)
    return Span(int(stream.at_us[part.start]), int(stream.at_us[part.stop - 1]) + 1)


def _positions(stream: Stream, span: Span) -> range:
    start, stop = np.searchsorted(stream.at_us, [span.from_us, span.until_us])
    return range(int(start), int(stop))
