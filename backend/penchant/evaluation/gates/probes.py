"""Frozen rankings of an era that is over: whether a new encoder still knows what was liked then.

A probe set stands for itself: it holds the texts of its items, so that it can be asked when the
catalog and the log are others. Of a ranking only the encoder's part is asked, the slow and the
fast interest: popularity and neighbours are of their own time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from penchant.domain.arrays import Int64
from penchant.domain.errors import ConfigError
from penchant.domain.rewards import SignalTable, resolve
from penchant.domain.settings import FoldSettings
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import Window
from penchant.domain.window import empty_record, entry, insert
from penchant.evaluation.targets import ReplayConfig, choose_targets
from penchant.logs.stream import Stream

ITEMS = 2000
"""A probe set holds at most so many items, or all targets if these are more."""


@dataclass(frozen=True, slots=True, eq=False)
class ProbeSet:
    """n rankings, and what must be known to make them again."""

    ids: tuple[str, ...]
    """Of m items."""
    texts: tuple[str, ...]
    """Of the same."""
    windows: Window
    """The users' windows before each ranking, one after the other; `item` is a place in `ids`."""
    lengths: Int64
    """Events of each window, 1 or more, shape (n,)."""
    target: Int64
    """The place of the item that was liked, shape (n,)."""
    at_us: Int64
    """When, in microseconds since 1970, shape (n,)."""
    user: Int64
    """Numbers that tell the users apart, and nothing else, shape (n,)."""
    candidates: str
    """See `ReplayConfig.candidates`: `unseen` hides the items of the window."""

    @property
    def era(self) -> str:
        """From which day to which.

        >>> moment = np.array([0, 86_400_000_000])
        >>> some = np.zeros(2, np.int64)
        >>> ProbeSet((), (), np.empty(0), some, some, moment, some, "all").era
        '1970-01-01 to 1970-01-02'
        """
        first, last = (
            datetime.fromtimestamp(at_us / 1e6, UTC).date().isoformat()
            for at_us in (int(self.at_us.min()), int(self.at_us.max()))
        )
        return f"{first} to {last}"


def freeze_probes(
    stream: Stream,
    part: range,
    size: int = 1000,
    seed: int = 1,
    *,
    signals: SignalTable = DEFAULT_SIGNALS,
    window_events: int = FoldSettings().window_events,
    candidates: str = "unseen",
) -> ProbeSet:
    """Chooses relevant events of a part of a log, of users with a history, and freezes them.

    Args:
        stream: the log.
        part: positions of the era's events.
        size: how many are chosen at most, at random, 1 or more.
        seed: of the choice.
        signals: what each signal is worth.
        window_events: that a record keeps.
        candidates: see `ReplayConfig.candidates`.

    Returns:
        Equal arguments, equal probe sets. Items that are neither targets nor often in the windows
        are left out where there are more than `ITEMS`, and so are events about them.

    Raises:
        ConfigError: nothing in the part can be ranked for, or an argument is out of its range.
    """
    if size < 1:
        raise ConfigError(f"size: got {size}, expected 1 or more")
    targets = choose_targets(stream, ReplayConfig(0.0, refresh_every=0, candidates=candidates))
    inside = (
        (targets.positions >= part.start) & (targets.positions < part.stop) & (targets.earlier > 0)
    )
    found = targets.positions[inside]
    if len(found) == 0:
        raise ConfigError(
            f"probes: no relevant event at {part.start:,} to {part.stop:,} of the log has a "
            "history before it; expected at least one"
        )
    random = np.random.default_rng(seed)
    positions = np.sort(random.choice(found, min(size, len(found)), replace=False))
    windows = [_window_before(stream, at, signals, window_events) for at in positions.tolist()]
    return _frozen(stream, positions, windows, candidates, random)


def _window_before(
    stream: Stream, position: int, signals: SignalTable, window_events: int
) -> Window:
    """The user's window as it was before the event; items by their numbers in the stream."""
    own = np.flatnonzero(stream.user[:position] == stream.user[position])
    rows = []
    for place in own.tolist():
        event = stream.events[place]
        outcome = resolve(signals, event.signal, event.value)
        rows.append(entry(event, int(stream.item[place]), outcome))
    return insert(empty_record(), rows, window_events).window


def _frozen(
    stream: Stream,
    positions: Int64,
    windows: list[Window],
    candidates: str,
    random: np.random.Generator,
) -> ProbeSet:
    target = stream.item[positions]
    kept = _items(len(stream.items), target, windows, random)
    place = np.full(len(stream.items), -1)
    place[kept] = np.arange(len(kept))
    windows = [window[place[window["item"]] >= 0] for window in windows]
    lengths = np.array([len(window) for window in windows])
    told = lengths > 0
    if not told.any():
        raise ConfigError("probes: no window holds an item that is kept; expected at least one")
    joined = np.concatenate(windows)
    joined["item"] = place[joined["item"]]
    joined["event"] = 0  # Its order is kept; what the digest names is nobody's business later.
    _, user = np.unique(stream.user[positions][told], return_inverse=True)
    items = [stream.items[number] for number in kept.tolist()]
    return ProbeSet(
        ids=tuple(item.id for item in items),
        texts=tuple(item.text for item in items),
        windows=joined,
        lengths=lengths[told],
        target=place[target[told]],
        at_us=stream.at_us[positions][told],
        user=user.astype(np.int64),
        candidates=candidates,
    )


def _items(count: int, target: Int64, windows: list[Window], random: np.random.Generator) -> Int64:
    """Numbers of the items that are kept: targets, then what is often met, then others."""
    met = Counter(number for window in windows for number in window["item"].tolist())
    others = random.permutation(count).tolist()
    often = [number for number, _ in sorted(met.items(), key=lambda pair: (-pair[1], pair[0]))]
    targets = np.unique(target).tolist()
    wanted = list(dict.fromkeys([*targets, *often, *others]))
    return np.sort(np.array(wanted[: max(ITEMS, len(targets))], np.int64))
