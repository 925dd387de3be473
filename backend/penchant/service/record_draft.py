"""A user's record in a batch of feedback: as it was read, and the events that it gains."""

from __future__ import annotations

from penchant.domain.types import Record
from penchant.domain.window import empty_record, insert
from penchant.store.codec import decode_user


class RecordDraft:
    """A record and its new events, inserted when somebody looks at it."""

    __slots__ = ("_is_new", "_record", "_version", "added", "encoded")

    def __init__(
        self, record: Record | None, encoded: bytes | None = None, version: int = 0
    ) -> None:
        """Starts without new events.

        Args:
            record: as it was read; None: `encoded` holds it.
            encoded: as the store holds it, checked and of the newest schema; None: it is not there,
                or differs from `record`.
            version: its state version, if `record` is None.
        """
        self._record = record
        self._version = version if record is None else record.state_version
        self._is_new = record is not None and not record.state_version and not len(record.window)
        self.encoded = encoded
        self.added: list[bytes] = []
        """Rows of the window, from `penchant.domain.window.entry`."""

    @classmethod
    def of_new_user(cls) -> RecordDraft:
        """The draft of a user without events."""
        return cls(empty_record())

    @property
    def state_version(self) -> int:
        """The user's state version, the new events included."""
        return self._version + len(self.added)

    @property
    def is_as_stored(self) -> bool:
        """Whether `encoded`, or its absence, says all about the record before the new events."""
        return self.encoded is not None or self._is_new

    def record(self, capacity: int) -> Record:
        """The record with the new events, of which it keeps the latest `capacity`."""
        if self._record is None:
            assert self.encoded is not None
            self._record = decode_user(self.encoded).record
        return insert(self._record, self.added, capacity)
