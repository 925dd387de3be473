"""The events one round trains on and is measured by, chosen from the log and earlier rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from penchant.domain.arrays import Mask
from penchant.domain.errors import ConfigError
from penchant.logs.stream import Stream
from penchant.training.finetuning.finetune_settings import FinetuneSettings
from penchant.training.finetuning.provenance import RoundRecord, TimeSpan
from penchant.training.finetuning.sequences import (
    History,
    Segment,
    histories_of,
    plan_segments,
)
from penchant.training.finetuning.time_split import TimeSplit, split_by_time
from penchant.training.finetuning.training_objective import NEXT_ITEM


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The events of one round; ranges are positions in its stream."""

    histories: tuple[History, ...]
    """Histories of new events, then of replayed ones."""
    segments: tuple[Segment, ...]
    """Segments in training order, `FinetuneSettings.segments` per step."""
    validation: range
    test: range
    earlier_test: range
    """The previous round's test part; empty in the first round."""
    record: RoundRecord
    """The round's entry for `FinetuneNote`."""


def choose_events(
    stream: Stream, earlier: Sequence[RoundRecord], settings: FinetuneSettings
) -> TrainingData:
    """Chooses and orders the events of a round.

    The first round's events are the whole stream. A later round's are those after the end of the
    previous round's log; part of each step replays events that earlier rounds trained on. No round
    trains on another round's validation or test part.

    Args:
        stream: items and log.
        earlier: rounds the encoder was trained in, oldest first.
        settings: the split and the size of a step.

    Raises:
        ConfigError: there are too few events.
    """
    begin = int(np.searchsorted(stream.at_us, earlier[-1].log_until_us)) if earlier else 0
    if begin == len(stream.at_us):
        raise ConfigError(
            "events: none is newer than the last encoder's log, expected some; give a longer log"
        )
    parts = _moved(
        split_by_time(stream.at_us[begin:], settings.validation_fraction, settings.test_fraction),
        begin,
    )
    train = _span(stream, parts.train)
    likes_only = settings.objective == NEXT_ITEM
    new = histories_of(stream, train.holds(stream.at_us), likes_only=likes_only)
    replayed = _any_holds([row.train for row in earlier], stream)
    old = histories_of(stream, replayed, likes_only=likes_only)
    return TrainingData(
        histories=(*new, *old),
        segments=tuple(_order(new, old, settings)),
        validation=parts.validation,
        test=parts.test,
        earlier_test=_positions(stream, earlier[-1].test) if earlier else range(0),
        record=RoundRecord(train, _span(stream, parts.test), int(stream.at_us[-1]) + 1),
    )


def _order(
    new: Sequence[History], old: Sequence[History], settings: FinetuneSettings
) -> list[Segment]:
    """The segments of all steps; in each step new ones come first, then replayed ones."""
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


def _any_holds(spans: Sequence[TimeSpan], stream: Stream) -> Mask:
    inside = np.zeros(len(stream.at_us), np.bool_)
    for span in spans:
        inside |= span.holds(stream.at_us)
    return inside


def _moved(parts: TimeSplit, by: int) -> TimeSplit:
    def move(part: range) -> range:
        return range(part.start + by, part.stop + by)

    return TimeSplit(move(parts.train), move(parts.validation), move(parts.test))


def _span(stream: Stream, part: range) -> TimeSpan:
    if not part:
        return TimeSpan(0, 0)
    return TimeSpan(int(stream.at_us[part.start]), int(stream.at_us[part.stop - 1]) + 1)


def _positions(stream: Stream, span: TimeSpan) -> range:
    start, stop = np.searchsorted(stream.at_us, [span.from_us, span.until_us])
    return range(int(start), int(stop))
