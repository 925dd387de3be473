"""The thread of a writing process that makes a checkpoint a while after each commit."""

from __future__ import annotations

import threading
from collections.abc import Callable

from penchant.store.commit_journal import JournalNote

INTERVAL_S = 0.5
"""Seconds from a commit to the next checkpoint: what they take from the disk in one go."""


class BackgroundCheckpoints:
    """Begins with the first commit, and ends with `stop` or with the process."""

    def __init__(
        self,
        checkpoint: Callable[[], JournalNote],
        note: Callable[[], JournalNote],
        rest: Callable[[Callable[[], bool]], None],
    ) -> None:
        """Takes the steps.

        Args:
            checkpoint: makes a checkpoint if it can be made; returns how far the journal had grown.
            note: how far the journal has grown by now.
            rest: lets go of the pin if its argument, asked when nobody writes, says so.
        """
        self._checkpoint = checkpoint
        self._note = note
        self._rest = rest
        self._committed, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="penchant-checkpoints", daemon=True)

    def after_commit(self) -> None:
        """Has a checkpoint follow in a while."""
        if not self._committed.is_set():
            self._committed.set()
            if self._thread.ident is None:
                self._thread.start()

    def stop(self) -> None:
        """Waits for the checkpoint under way, if any, and makes no more."""
        self._closing.set()
        self._committed.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while self._committed.wait() and not self._closing.wait(INTERVAL_S):
            self._committed.clear()
            seen = self._checkpoint()
            # The pin stays, so that the next commit need not wait for one, until others write:
            # that of a process at rest would keep ever more pages.
            while not (self._committed.is_set() or self._closing.wait(INTERVAL_S)):
                if self._note() != seen:
                    self._rest(lambda: not self._committed.is_set())
                    break
