"""Looks at a log before anything is fitted to it, and says in sentences what it holds.

What was left out of it, and rows that repeat, are the business of those who read it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from penchant.logs.cells import day_of
from penchant.logs.event_log import EventLog
from penchant.logs.stream import Stream

_SECOND_US = 1_000_000
_DAY_US = 86_400 * _SECOND_US

MANY = 0.2
"""Share from which repeats, shared seconds and the like are worth a word of what they mean."""

AUTO = "auto"
"""The items to rank are told by the log: all where many hits are repeats, else the new ones."""

FEW_WORDS = 3
"""Words of a text below which it says little."""

_SHOWN_SIGNALS = 6


@dataclass(frozen=True, slots=True)
class LogCheck:
    """What a log holds; shares are from 0 to 1."""

    items: int
    events: int
    users: int
    first_us: int
    """Time of the earliest event, in microseconds since 1970."""
    last_us: int
    signals: dict[str, int]
    """Events by signal, most first."""
    liked: int
    """Events with a positive reward."""
    hits: int
    """Events that count as a hit."""
    repeats: float
    """Share of the hits whose user had an event about the item before."""
    same_second: float
    """Share of the events within one second of their user's event before."""
    whole_days: bool
    """Whether every time is midnight."""
    single_event_users: int
    median_events: float
    """Events of the median user."""
    items_without_events: int
    distinct_texts: int
    items_without_text: int
    """Items whose text is their id."""
    median_words: float
    """Words of the median text."""
    ahead: int
    """Events dated after now."""

    @property
    def has_texts(self) -> bool:
        """Whether the texts can say anything: most items have one that is not their id."""
        return 2 * self.items_without_text < self.items and self.distinct_texts > 1

    def sentences(self, candidates: str = AUTO) -> Iterator[str]:
        """What was found, a sentence or two at a time, most important first.

        Args:
            candidates: what the user asked to be ranked; see `told_candidates`.
        """
        yield (
            f"The log holds {_count(self.events, 'event')} of {_count(self.users, 'user')} about "
            f"{_count(self.items, 'item')}, from {day_of(self.first_us)} to "
            f"{day_of(self.last_us)}."
        )
        yield self._signals()
        yield from self._clock()
        yield candidates_in_words(candidates, self.repeats)
        if self.single_event_users:
            yield (
                f"{self.single_event_users / self.users:.0%} of the users have one event; the "
                f"median user has {self.median_events:g}."
            )
        if self.items_without_events:
            yield (
                f"Items without an event: {self.items_without_events:,}; their text alone speaks "
                "for them."
            )
        yield self._texts()

    def _signals(self) -> str:
        shown = list(self.signals.items())[:_SHOWN_SIGNALS]
        listed = ", ".join(f"{name} {count:,}" for name, count in shown)
        more = len(self.signals) - len(shown)
        rest = f" and {more} more" if more > 0 else ""
        return (
            f"Signals: {listed}{rest}. {self.liked / self.events:.0%} of the events are likes, "
            f"{self.hits / self.events:.0%} are hits."
        )

    def _clock(self) -> Iterator[str]:
        if self.whole_days:
            yield "All times are whole days: within a day, events keep the order of the file."
        if self.ahead:
            yield f"Events dated after now: {self.ahead:,}; is the clock right?"
        if self.first_us == self.last_us and self.events > 1:
            yield (
                "All events have one and the same time, so nothing says what came first; the "
                "order of the file stands in for it."
            )
        elif self.same_second >= MANY and not self.whole_days:
            yield (
                f"{self.same_second:.0%} of the events come within a second of their user's event "
                "before: whole sessions were written at once, and the order within them is the "
                "file's."
            )

    def _texts(self) -> str:
        if not self.has_texts:
            return (
                "The items have no texts, so vectors come from the events alone, and new items "
                "and queries can't be understood."
            )
        twins = self.items - self.distinct_texts
        shared = f", {_count(twins, 'text')} shared with another item" if twins else ""
        little = " Such short texts say little." if self.median_words < FEW_WORDS else ""
        return f"The median text has {self.median_words:g} words{shared}.{little}"


def check_log(stream: Stream, now_us: int) -> LogCheck:
    """Looks at a log.

    Args:
        stream: the log as it was read.
        now_us: the time now, in microseconds since 1970.

    Cost: a few sorts of the events.
    """
    events = stream.events if isinstance(stream.events, EventLog) else EventLog.of(stream.events)
    count = len(events)
    signals = Counter(dict.fromkeys(events.signal.distinct, 0))
    for code, found in enumerate(np.bincount(events.signal.code).tolist()):
        signals[events.signal.distinct[code]] = found
    of_user = np.bincount(stream.user)
    texts = [item.text.strip() for item in stream.items]
    return LogCheck(
        items=len(stream.items),
        events=count,
        users=len(stream.users),
        first_us=int(stream.at_us[0]),
        last_us=int(stream.at_us[-1]),
        signals={name: found for name, found in signals.most_common() if found},
        liked=int((stream.reward > 0).sum()),
        hits=int(stream.relevant.sum()),
        repeats=share_of_repeats(stream),
        same_second=_same_second(stream),
        whole_days=bool((stream.at_us % _DAY_US == 0).all()),
        single_event_users=int((of_user == 1).sum()),
        median_events=float(np.median(of_user)),
        items_without_events=len(stream.items) - len(np.unique(stream.item)),
        distinct_texts=len(set(texts)),
        items_without_text=sum(
            text == item.id for text, item in zip(texts, stream.items, strict=True)
        ),
        median_words=float(np.median([len(text.split()) for text in texts])),
        ahead=int((stream.at_us > now_us).sum()),
    )


def told_candidates(asked: str, repeats: float) -> str:
    """The items to rank, `unseen` or `all`: as it was asked, or by the log where that is `auto`.

    Args:
        asked: auto, unseen or all.
        repeats: share of the hits whose user had an event about the item before.

    >>> told_candidates("auto", 0.5), told_candidates("auto", 0.0), told_candidates("unseen", 0.5)
    ('all', 'unseen', 'unseen')
    """
    if asked != AUTO:
        return asked
    return "all" if repeats >= MANY else "unseen"


def candidates_in_words(asked: str, repeats: float) -> str:
    """Says what is ranked, and why."""
    told = told_candidates(asked, repeats)
    what = "all items" if told == "all" else "the items that are new to them"
    why = "as you asked, " if asked != AUTO else "so "
    end = "." if asked != AUTO else f" (--candidates {told})."
    return (
        f"{repeats:.0%} of the hits are about an item that their user knew already; "
        f"{why}users are ranked {what}{end}"
    )


def share_of_repeats(stream: Stream) -> float:
    """Share of the hits whose user had an event about the item before, from 0 to 1."""
    pairs = stream.user * len(stream.items) + stream.item
    first = np.zeros(len(pairs), np.bool_)
    first[np.unique(pairs, return_index=True)[1]] = True
    hits = stream.relevant
    return float((~first[hits]).mean()) if hits.any() else 0.0


def _same_second(stream: Stream) -> float:
    order = np.argsort(stream.user, kind="stable")
    user, at_us = stream.user[order], stream.at_us[order]
    near = (user[1:] == user[:-1]) & (at_us[1:] - at_us[:-1] < _SECOND_US)
    return float(near.sum()) / len(user)


def _count(number: int, noun: str) -> str:
    """A number with its noun.

    >>> _count(1, "item"), _count(2000, "item")
    ('1 item', '2,000 items')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
