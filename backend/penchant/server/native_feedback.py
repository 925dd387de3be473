"""Feedback by the compiled module: the common case in one call, from request bytes to reply bytes.

What it declines takes the general way through `wire.feedback` and `service.feedback_batch`, in the
same transaction; see `penchant.service.plain_feedback`. Calls that its parser declines, and those
that are refused as a whole, take it afterwards, in a transaction of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import penchant_native

from penchant.domain.errors import PenchantError
from penchant.domain.limits import Limits
from penchant.server.plans import SMALL_EVENTS
from penchant.service.event_results import EventResult, FeedbackRequest
from penchant.service.feedback import FeedbackService
from penchant.service.plain_feedback import PlainFeedback
from penchant.store.base import Store
from penchant.wire.call import parse_call
from penchant_proto.v1.feedback_pb2 import FeedbackRequest as FeedbackMessage
from penchant_proto.v1.service_pb2 import Reply


class NativeFeedback:
    """See `penchant.server.dispatch.NativeVerb`; safe in threads."""

    tag = b"\x12"

    def __init__(
        self,
        store: Store,
        service: FeedbackService,
        plain: PlainFeedback,
        limits: Limits,
        stored_name: Callable[[str], str] | None,
        accept: Callable[[FeedbackMessage], FeedbackRequest],
        write: Callable[[Sequence[EventResult]], Reply],
    ) -> None:
        """Answers over a store.

        Args:
            store: where several servers write to it, all calls take the general way.
            service: of the store.
            plain: takes the plain calls.
            limits: of a call; a request beyond them is declined.
            stored_name: from the caller's name of a user to the store's; None: they are the same.
            accept: reads and checks the message of a call that is not plain.
            write: writes the results of such a call.
        """
        self._store = store
        self._service = service
        self._plain = plain
        self._stored_name = stored_name
        self._accept = accept
        self._write = write
        limits_ = penchant_native.FeedbackLimits(
            events=min(limits.events, SMALL_EVENTS),
            id_bytes=limits.id_bytes,
            event_id_bytes=limits.event_id_bytes,
            recommendation_id_bytes=limits.recommendation_id_bytes,
            context_entries=limits.context_entries,
            context_bytes=limits.context_bytes,
        )
        self.parse = partial(penchant_native.parse_feedback_call, limits=limits_)
        """See `NativeVerb.parse`; no function of Python's own, for speed on the hot path."""

    def answer(self, calls: Sequence[penchant_native.FeedbackCall]) -> list[bytes | None]:
        """One serialized reply per call, all from one transaction; None: the general way."""
        if self._store.shared:
            return [None] * len(calls)
        names = None
        if self._stored_name is not None:
            names = [self._stored_name(user) for call in calls for user in call.users]
        replies = self._service.plainly(
            self._plain, calls, names, lambda place: self._general(calls[place])
        )
        return [
            self._write(reply).SerializeToString() if isinstance(reply, list) else reply
            for reply in replies
        ]

    def _general(self, call: penchant_native.FeedbackCall) -> FeedbackRequest | None:
        try:
            return self._accept(parse_call(call.payload).message)
        except PenchantError:
            return None
