"""Applies the operands in users' outboxes to the rows that all users share, each once.

A commit writes the operands into the user's outbox, atomically with the user's rows. Settlement
reads outboxes, merges their operands into the shared rows in this process, and writes these back
unless somebody else has written them meanwhile; the same atomic call notes, at each place, the
user's version up to which its operands are applied. Then the outbox is emptied (`user_outboxes`),
and long after that the note is forgotten (`applied_marks`). Whoever dies between two of these
steps, or does one twice, loses no operand and applies none twice.

Each server settles what it has committed at once. That it is about to commit operands of a user it
announces beforehand, so that another server finds what a dead one left.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from penchant.domain.errors import StoreUnavailable
from penchant.store.valkey.announcements import Announcements
from penchant.store.valkey.applied_marks import AppliedMarks
from penchant.store.valkey.place_indexes import Indexed, drop_gone
from penchant.store.valkey.places import Places
from penchant.store.valkey.user_outboxes import UserOutboxes
from penchant.store.valkey.valkey_nodes import ServerCommand, ValkeyNodes

log = logging.getLogger("penchant")

_PAUSE_S = 0.1
"""What is committed within this long is settled together."""
_SWEEP_S = 1.0
_OTHERS_AFTER_US = 2_000_000
"""Operands that were announced longer ago than this are settled by any server."""
_WITHDRAWN_AFTER_US = 500_000
"""Youngest announcement of its own that a server withdraws."""
_DEAD_AFTER_US = 60_000_000
"""Announcements of this age are withdrawn by any server: no transaction takes so long."""


class Settlement:
    """Of one store in one process; it runs in a thread of its own from the first commit on."""

    def __init__(self, nodes: ValkeyNodes, places: Places) -> None:
        """Starts nothing yet."""
        self._nodes = nodes
        self._announcements = Announcements(nodes, places)
        self._outboxes = UserOutboxes(nodes, places)
        self._marks = AppliedMarks(nodes, places)
        self._gate = threading.Lock()
        """Held to look at what follows."""
        self._under_way: Counter[str] = Counter()
        """Users of transactions that go on."""
        self._to_settle: dict[str, int] = {}
        """Users with operands to settle, each with the number of the last transaction of theirs."""
        self._ended = 0
        """Transactions that have ended."""
        self._to_withdraw: set[str] = set()
        """Users whose announcement has served its purpose once they are settled."""
        self._to_look_at: list[Indexed] = []
        """Names in indexes that may stand for nothing."""
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None
        self._closed = False

    def begin(self, users: Iterable[str]) -> None:
        """Notes that operands of users are about to be committed; `end` must follow."""
        with self._gate:
            self._under_way.update(list(users))  # A mapping would add its values.

    def announcement(self, user: str) -> tuple[bytes, bytes]:
        """The index in which operands of a user are announced, and the name there."""
        return self._announcements.of(user)

    def announcing(self, users: Iterable[str]) -> list[ServerCommand]:
        """The commands that announce operands of users; `end` must follow."""
        users = list(users)
        self.begin(users)
        return self._announcements.commands(users)

    def end(
        self, users: Iterable[str], to_settle: Collection[str], unsure: Collection[str]
    ) -> None:
        """Ends a transaction's announcements.

        Args:
            users: all that were announced; one may have been announced several times.
            to_settle: those whose operands were committed. Those whose commit was refused, too: it
                may have been sent twice, and the second time only was refused.
            unsure: those of whom nothing is known, since no answer came; they stay announced.
        """
        with self._gate:
            self._under_way.subtract(users)
            self._under_way += Counter()  # Without zeros.
            self._note(to_settle)
            self._to_withdraw |= set(users) - set(unsure)
        if to_settle:
            self._start()
            self._woken.set()

    def look_at(self, entries: Sequence[Indexed]) -> None:
        """Removes names from the indexes later, if they stand for nothing by then."""
        with self._gate:
            self._to_look_at += entries
        self._start()

    def settle_all(self, users: Iterable[str] = ()) -> None:
        """Settles everything that any server has announced.

        Args:
            users: settled as well, announced or not.

        Raises:
            StoreUnavailable: some of it could not be settled.
        """
        noted = self._noted()
        users = {*users, *noted, *self._announcements.users()}
        left = users - self._settled(users, noted)
        if left:
            with self._gate:
                self._note(left)
            raise StoreUnavailable("store: what users share can't be written; send the call again")

    def close(self) -> None:
        """Settles what was committed, if that can be done at once, and ends the thread."""
        self._closed = True
        self._woken.set()
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        with self._gate:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(
                    target=self._run, name="penchant-settlement", daemon=True
                )
                self._thread.start()

    def _run(self) -> None:
        swept_s = time.monotonic()
        while not self._closed or self._to_settle:
            self._woken.wait(_SWEEP_S)
            self._woken.clear()
            if not self._closed:
                time.sleep(_PAUSE_S)
            left = self._left_of(self._noted())
            if left and self._closed:
                return  # Another server finds it, or this one at its next start.
            if time.monotonic() - swept_s > _SWEEP_S:
                swept_s = time.monotonic()
                self._swept()
            if left:
                time.sleep(0.1)

    def _left_of(self, noted: Mapping[str, int]) -> Collection[str]:
        """Settles users; returns those of whom something is left to do."""
        try:
            return noted.keys() - self._settled(noted.keys(), noted)
        except StoreUnavailable as error:
            log.warning("what users share is settled later: %s", error)
        except Exception:
            log.exception("what users share is settled later")
        return noted.keys()

    def _swept(self) -> None:
        try:
            self._sweep()
        except StoreUnavailable as error:
            log.warning("what other servers left is settled later: %s", error)
        except Exception:
            log.exception("what other servers left is settled later")

    def _noted(self) -> dict[str, int]:
        """Users to settle. They stay so until they are settled, and announced."""
        with self._gate:
            return dict(self._to_settle)

    def _note(self, users: Iterable[str]) -> None:
        self._ended += 1
        self._to_settle |= dict.fromkeys(users, self._ended)

    def _settled(self, users: Iterable[str], noted: Mapping[str, int]) -> set[str]:
        """Settles users; those without a later transaction than was noted need it no more."""
        settled = self._settle(users)
        with self._gate:
            for user in settled:
                if user in noted and self._to_settle.get(user) == noted[user]:
                    del self._to_settle[user]
        return settled

    def _sweep(self) -> None:
        """Settles what other servers have left, and withdraws and forgets what is settled."""
        with self._gate:
            mine = {
                user
                for user in self._to_withdraw
                if user not in self._to_settle and not self._under_way[user]
            }
            self._to_withdraw -= mine
            entries, self._to_look_at = self._to_look_at, []
        drop_gone(self._nodes, entries)
        self._announcements.withdraw(mine, _WITHDRAWN_AFTER_US)
        others = self._announcements.next_ones(_OTHERS_AFTER_US)
        settled = self._settle({one.user for one in others})
        old = [one for one in others if one.user in settled and one.age_us >= _DEAD_AFTER_US]
        self._announcements.withdraw_all([one.member for one in old], _DEAD_AFTER_US)
        self._marks.step()

    def _settle(self, users: Iterable[str]) -> set[str]:
        return self._outboxes.settle(users)
