"""Probe sets: frozen rankings of a past era, to test whether a new encoder has forgotten it.

A probe set is self-contained: it holds the texts of its items, so that it still works when the
catalog and the log have changed. Its rankings use the encoder's part alone, the slow and the fast
interest, because popularity and neighbours belong to their own time.
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
"""Upper limit of items in a probe set, or the number of distinct targets if that is larger."""


@dataclass(frozen=True, slots=True, eq=False)
class ProbeSet:
    """n frozen rankings with all they need to be computed again."""

    ids: tuple[str, ...]
    """Ids of the m items."""
    texts: tuple[str, ...]
    """Texts of the m items."""
    windows: Window
    """The user's window before each ranking, concatenated; `item` is an index into `ids`."""
    lengths: Int64
    """Number of events in each window, 1 or more, shape (n,)."""
    target: Int64
    """Index of the item that was liked, shape (n,)."""
    at_us: Int64
    """Time of each ranking, in microseconds since 1970, shape (n,)."""
    user: Int64
    """Arbitrary number of each ranking's user, shape (n,)."""
    candidates: str
    """See `ReplayConfig.candidates`: `unseen` hides the items of the window."""

    @property
    def era(self) -> str:
        """First and last day (UTC) of the rankings.

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
    """Draws relevant events from a part of a log, of users with a history, and freezes them.

    Args:
        stream: the log.
        part: positions of the era's events.
        size: upper limit of rankings, 1 or more.
        seed: seed of the draw.
        signals: rewards of the signals.
        window_events: number of events that a user's record keeps.
        candidates: see `ReplayConfig.candidates`.

    Returns:
        Equal arguments give equal probe sets. Of more than `ITEMS` items, those that are neither
        targets nor frequent in the windows are left out, and events about them too.

    Raises:
        ConfigError: no event of the part can be ranked for, or an argument is out of range.
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
    """The user's window just before an event; items by their numbers in the stream."""
    own = np.flatnonzero(stream.user[:position] == stream.user[position])
    rows = []
    for earlier in own.tolist():
        event = stream.events[earlier]
        outcome = resolve(signals, event.signal, event.value)
        rows.append(entry(event, int(stream.item[earlier]), outcome))
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
    index = np.full(len(stream.items), -1)
    index[kept] = np.arange(len(kept))
    windows = [window[index[window["item"]] >= 0] for window in windows]
    lengths = np.array([len(window) for window in windows])
    nonempty = lengths > 0
    if not nonempty.any():
        raise ConfigError("probes: no window holds an item that is kept; expected at least one")
    joined = np.concatenate(windows)
    joined["item"] = index[joined["item"]]
    joined["event"] = 0  # The order is kept; the digest would still identify the event.
    _, user = np.unique(stream.user[positions][nonempty], return_inverse=True)
    items = [stream.items[number] for number in kept.tolist()]
    return ProbeSet(
        ids=tuple(item.id for item in items),
        texts=tuple(item.text for item in items),
        windows=joined,
        lengths=lengths[nonempty],
        target=index[target[nonempty]],
        at_us=stream.at_us[positions][nonempty],
        user=user.astype(np.int64),
        candidates=candidates,
    )


def _items(count: int, target: Int64, windows: list[Window], random: np.random.Generator) -> Int64:
    """Numbers of the items to keep: targets first, then frequent ones, then others at random."""
    met = Counter(number for window in windows for number in window["item"].tolist())
    others = random.permutation(count).tolist()
    often = [number for number, _ in sorted(met.items(), key=lambda pair: (-pair[1], pair[0]))]
    targets = np.unique(target).tolist()
    wanted = list(dict.fromkeys([*targets, *often, *others]))
    return np.sort(np.array(wanted[: max(ITEMS, len(targets))], np.int64))
