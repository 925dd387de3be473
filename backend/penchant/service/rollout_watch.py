"""Counts a batch of feedback for a rollout, and ends the rollout if the candidate is worse.

On a canary, a case is an event other than an impression, and its gain is the reward: the users who
are ranked by the candidate against all others. On a shadow, a case is a liked item that is not in
the user's window, and its gain is whether the item was among the ten best of each side's ranking,
before the event was learnt.
"""

from __future__ import annotations

import logging
from collections import defaultdict

from penchant.catalog.view import CatalogView
from penchant.domain.event_weights import time_bucket
from penchant.domain.rewards import ResolvedSignal
from penchant.domain.rollout import (
    CANDIDATE,
    OVERLAP,
    SERVED,
    Rollout,
    Standing,
    Sums,
    bucket_of,
    no_sums,
    standing,
)
from penchant.domain.types import Published, Record, Rows, UserState
from penchant.service.scoring import score_all
from penchant.service.selection import best_of
from penchant.service.user_interest import Offered, interest_of
from penchant.store.base import Transaction
from penchant.store.releases import append_release
from penchant.store.rollouts import add_sums, delete_rollout, read_sums, write_sums

log = logging.getLogger("penchant")

TOP = 10


class RolloutWatch:
    """Counts the accepted events of one batch."""

    def __init__(self, offered: Offered) -> None:
        self._offered = offered
        self._sums = no_sums()
        self._by_user: defaultdict[str, Sums] = defaultdict(no_sums)
        self._ended = ""

    def event(
        self, user: str, record: Record, number: int, signal: ResolvedSignal, fold_us: int
    ) -> None:
        """Counts an accepted event.

        Args:
            user: the event's user.
            record: the user's record before the event.
            number: number of the event's item.
            signal: the reward of the event.
            fold_us: time as of which users are ranked, in microseconds since 1970.
        """
        rollout = self._offered.rollout
        if rollout is None or signal.wait_s is not None:
            return
        if rollout.mode == "canary":
            arm = CANDIDATE if rollout.shows(user) else SERVED
            self._add(user, arm, bucket_of(user), signal.reward)
        elif rollout.tries(user) and signal.reward > 0:
            self._shadow(user, record, number, fold_us)

    def settle(self, transaction: Transaction, now_us: int) -> None:
        """Writes the sums with the batch, and ends the rollout if the candidate is worse."""
        rollout = self._offered.rollout
        if rollout is None or not self._sums.any():
            return
        sums = read_sums(transaction) + self._sums
        if transaction.shared:
            for user, mine in self._by_user.items():
                add_sums(transaction, mine, user)
        else:
            write_sums(transaction, sums)
        found = standing(sums, rollout)
        if found.worse:
            note = f"by itself: {describe(rollout, found)}"
            end_rollout(transaction, rollout, now_us, note)
            self._ended = f"the {rollout.mode} of release {rollout.release} is ended {note}"

    def say(self) -> None:
        """Says in the log that the rollout is ended, where it is; only after the commit."""
        if self._ended:
            log.error(self._ended)

    def _shadow(self, user: str, record: Record, number: int, fold_us: int) -> None:
        if number in record.window["item"]:
            return
        tops = [self._top(view, record, fold_us) for view in self._views()]
        bucket = bucket_of(user)
        for arm, top in zip((SERVED, CANDIDATE), tops, strict=True):
            self._add(user, arm, bucket, float(number in top))
        both = len(set(tops[0].tolist()) & set(tops[1].tolist()))
        self._add(user, OVERLAP, bucket, both / max(1, len(tops[0])))

    def _add(self, user: str, row: int, bucket: int, gain: float) -> None:
        self._sums[row, bucket] += (1.0, gain)
        self._by_user[user][row, bucket] += (1.0, gain)

    def _views(self) -> list[CatalogView]:
        assert self._offered.candidate is not None
        return [self._offered.served, self._offered.candidate]

    def _top(self, view: CatalogView, record: Record, fold_us: int) -> Rows:
        bucket = time_bucket(fold_us, view.settings)
        interest, _ = interest_of(UserState(record), view, bucket)
        return best_of(score_all(view, interest, left_out=[record.window["item"]]), TOP).rows


def end_rollout(transaction: Transaction, rollout: Rollout, now_us: int, note: str) -> None:
    """Ends a rollout and logs why; from then on, all users are ranked by the served catalog."""
    delete_rollout(transaction)
    head = rollout.head
    entry = Published(rollout.release, head.encoder_version, "end", now_us, note=note)
    append_release(transaction, entry)


def describe(rollout: Rollout, found: Standing) -> str:
    """The standing of a rollout in one line.

    >>> from penchant.domain.types import CatalogHead
    >>> rollout = Rollout("r", "canary", 0.05, CatalogHead(), begun_us=0)
    >>> describe(rollout, Standing((900, 50), (0.5, 0.25), -0.25, 0.0625, float("nan"), worse=True))
    'mean reward 0.5000 served (900 events), 0.2500 on rollout (50): -0.2500, 4.0 standard errors'
    """
    name = "mean reward" if rollout.mode == "canary" else f"recall@{TOP}"
    what = "events" if rollout.mode == "canary" else "likes"
    sigmas = abs(found.difference) / found.error if found.error else 0.0
    return (
        f"{name} {found.means[SERVED]:.4f} served ({found.cases[SERVED]:,} {what}), "
        f"{found.means[CANDIDATE]:.4f} on rollout ({found.cases[CANDIDATE]:,}): "
        f"{found.difference:+.4f}, {sigmas:.1f} standard errors"
    )
