"""Forgets the marks of what is applied, once they have served their purpose.

A mark says up to which version a user's operands are applied at a place. It is needed for as long
as the user's outbox may deliver one of them again, however long a server elsewhere is away. So its
age alone says nothing: it goes once it is old and the outbox was seen to hold nothing below it in
two looks, between which a failover that brings entries back would be over. Whoever read the outbox
before that, and has been asleep since, is kept from applying it by the floor (`user_outboxes`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

from penchant.domain.errors import StoreUnavailable
from penchant.store.valkey.outbox import version_of
from penchant.store.valkey.places import Place, Places
from penchant.store.valkey.server_functions import call
from penchant.store.valkey.valkey_nodes import ServerCommand, ValkeyNodes

_AFTER_US = 600_000_000
"""Youngest mark that is looked at: those of users who come again soon are left alone."""
_BETWEEN_LOOKS_S = 60.0
_MOST = 128
"""Marks of a place, and budgets, that are looked at in one step."""

_Mark = tuple[Place, bytes, bytes]
"""The place, the user, and the version up to which operands are applied."""


class AppliedMarks:
    """Of one store in one process."""

    def __init__(self, nodes: ValkeyNodes, places: Places) -> None:
        """Has looked at nothing yet."""
        self._nodes, self._places = nodes, places
        self._served: set[_Mark] = set()
        """Those that had served their purpose at the last look."""
        self._steps = self._looks()

    def step(self) -> None:
        """Goes on for a moment; what can't be read or written now is left for the next look."""
        try:
            next(self._steps)
        except Exception:
            self._steps = self._looks()  # An iterator that fails has ended.
            raise

    def _looks(self) -> Iterator[None]:
        while True:
            began_s, found = time.monotonic(), set[_Mark]()
            for places in self._all_places():
                for marks in self._marks_at(places):
                    served = self._which_served(marks)
                    self._forget(served & self._served)
                    found |= served - self._served
                    yield
            self._served = found
            while time.monotonic() - began_s < _BETWEEN_LOOKS_S:
                yield

    def _all_places(self) -> Iterator[Sequence[Place]]:
        yield (*self._places.counts, self._places.notes)
        index, low = self._places.budget_index, b"-"
        while low:
            words = [b"ZRANGEBYLEX", index, low, b"+", b"LIMIT", b"0", b"%d" % _MOST]
            (digests,) = self._nodes.run([ServerCommand(index, words)])
            if isinstance(digests, StoreUnavailable):
                return
            low = b"(" + digests[-1] if len(digests) == _MOST else b""
            yield [self._places.budget(digest) for digest in digests]

    def _marks_at(self, places: Iterable[Place]) -> Iterator[list[_Mark]]:
        """The old marks at places, some at a time."""
        begin = dict.fromkeys(places, b"-inf")
        while begin:
            replies = self._nodes.run(
                [
                    ServerCommand(
                        place.rows,
                        [
                            *call("shared_marks", place.applied),
                            *(above, b"%d" % _AFTER_US, b"%d" % _MOST),
                        ],
                    )
                    for place, above in begin.items()
                ]
            )
            marks: list[_Mark] = []
            for place, reply in zip(list(begin), replies, strict=True):
                if isinstance(reply, StoreUnavailable):
                    reply = []
                pairs = zip(reply[::2], reply[1::2], strict=True)
                marks += [(place, user, version) for user, version in pairs if user]
                if len(reply) == 2 * _MOST:
                    begin[place] = reply[-1]
                else:
                    del begin[place]
            yield marks

    def _which_served(self, marks: Sequence[_Mark]) -> set[_Mark]:
        """The marks of users whose outboxes hold nothing that a mark is for."""
        users = {user: self._places.user(user.decode()) for _, user, _ in marks}
        waits = self._nodes.waits
        replies = self._nodes.run(
            [
                ServerCommand(
                    owner.outbox,
                    call("user_head", owner.outbox) if waits else [b"LINDEX", owner.outbox, b"0"],
                )
                for owner in users.values()
            ],
            durable=waits,
        )
        heads = dict(zip(users, replies, strict=True))
        return {
            mark
            for mark in marks
            if not isinstance(head := heads[mark[1]], StoreUnavailable)
            and (head is None or version_of(head) > int(mark[2]))
        }

    def _forget(self, marks: Iterable[_Mark]) -> None:
        by_place: dict[Place, list[bytes]] = {}
        for place, user, version in marks:
            by_place.setdefault(place, []).extend((user, version))
        self._nodes.run(
            [
                ServerCommand(place.rows, [*call("shared_forget", place.applied), *words])
                for place, words in by_place.items()
            ]
        )
