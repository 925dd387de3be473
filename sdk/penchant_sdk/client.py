"""The synchronous client.

>>> from penchant_sdk import Event, Item
>>> from penchant_sdk.testing import FakePenchant  # Penchant("localhost:8001") in real life
>>> with FakePenchant() as penchant:
...     put = penchant.put_items([Item(id="1", text="Toy Story (1995). Animation, Comedy")])
...     ranking = penchant.rank(user="u42", k=10)
...     ack = penchant.feedback([Event(user="u42", item=ranking.items[0].id, signal="like")])
...     again = penchant.rank(user="u42", k=10, min_state_version=ack.state_version("u42"))
>>> ranking.cold_start, again.state_version
(True, 1)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Self

import grpc

from penchant_sdk import _calls, _reserve
from penchant_sdk._drive import Driver
from penchant_sdk._retry import RetryPolicy, check_timeout
from penchant_sdk._transport import ChannelOptions, GrpcTransport, Metadata, Transport
from penchant_sdk.exploration import Exploration
from penchant_sdk.records import (
    DeleteItemsResult,
    Embeddings,
    GetItemsResult,
    PutItemsResult,
    UserExport,
    UserState,
)
from penchant_sdk.reservations import Reservations, ReserveOption
from penchant_sdk.types import Event, FeedbackAck, Item, Ranking

BULK_TIMEOUT_S = 30.0
"""Default deadline of a call that may encode hundreds of texts."""


class Penchant:
    """A connection to a Triton that serves Penchant; safe to share between threads.

    Every verb raises a `PenchantError`: `InvalidRequest` for a wrong argument, `Unavailable` or one
    of its kinds where the server could not take the call after all retries, `DeadlineExceeded`
    where time ran out. What else a verb raises, it says.
    """

    def __init__(
        self,
        target: str = "localhost:8001",
        *,
        timeout_s: float = 1.0,
        max_attempts: int = 4,
        credentials: grpc.ChannelCredentials | None = None,
        metadata: Metadata = (),
        channel_options: ChannelOptions = (),
        transport: Transport | None = None,
    ) -> None:
        """Makes the client; it connects at the first call.

        Args:
            target: host:port of Triton's gRPC endpoint, or any gRPC target.
            timeout_s: seconds for one call to the server, retries included; more than 0. Each verb
                takes its own `timeout_s` instead.
            max_attempts: attempts of one call, the first included; 1 or more.
            credentials: for TLS, from `grpc.ssl_channel_credentials`; None: plain text.
            metadata: pairs sent with every call, for example an authorization header.
            channel_options: gRPC channel arguments, over Penchant's own (keepalive, sizes).
            transport: what carries the calls instead of gRPC, for tests.

        Raises:
            InvalidRequest: a timeout or a number of attempts out of range.
        """
        self._target = target
        self._timeout_s = check_timeout(timeout_s)
        policy = RetryPolicy(max_attempts=max_attempts)
        if transport is None:
            transport = GrpcTransport(
                target, credentials=credentials, metadata=metadata, channel_options=channel_options
            )
        self._driver = Driver(transport, policy)

    def put_items(self, items: Iterable[Item], *, timeout_s: float | None = None) -> PutItemsResult:
        """Adds or replaces items; when it returns they are durable and rankable.

        Sent in calls of 256; each call is all or nothing. Putting the same items again changes
        nothing, so after an error the whole list may be sent again.

        Args:
            items: 1 or more, with distinct ids.
            timeout_s: seconds for each call to the server. Default: 30, or the client's if longer.
        """
        return self._driver.run(_calls.put_items(items), self._bulk(timeout_s))

    def delete_items(
        self, ids: Iterable[str], *, timeout_s: float | None = None
    ) -> DeleteItemsResult:
        """Removes items from every ranking; the events about them stay in the logs.

        Args:
            ids: 1 or more; those that the catalog does not hold are listed in the result.
            timeout_s: seconds for each call of 1,000 ids. Default: the client's.
        """
        return self._driver.run(_calls.delete_items(ids), self._limit(timeout_s))

    def get_items(self, ids: Iterable[str], *, timeout_s: float | None = None) -> GetItemsResult:
        """Reads items back, as they were put.

        Args:
            ids: 1 or more; those that the catalog does not hold are listed in the result.
            timeout_s: seconds for each call of 1,000 ids. Default: the client's.
        """
        return self._driver.run(_calls.get_items(ids), self._limit(timeout_s))

    def rank(
        self,
        user: str,
        *,
        k: int = 10,
        candidates: Iterable[str] | None = None,
        query: str = "",
        context: Mapping[str, str] | None = None,
        exclude_seen: bool = False,
        min_state_version: int = 0,
        explain: bool = False,
        as_of: datetime | float | None = None,
        explore: Exploration | None = None,
        seed: int | None = None,
        diversity: float = 0.0,
        exclude_owned: bool = False,
        timeout_s: float | None = None,
    ) -> Ranking:
        """The best k items for a user. A user never seen before gets the population's ranking.

        Args:
            user: for whom; 1 to 256 bytes.
            k: how many items, 1 to 1,000; fewer come back where there are no more.
            candidates: ids to choose from, at most 5,000, each at most once. None: the whole
                catalog. Unknown ones are listed in the ranking and never fail the call.
            query: free text that says what is wanted now, at most 2,048 bytes.
            context: where and when the ranking will be seen, at most 32 entries; the first five
                by key weigh, where the server listens to contexts.
            exclude_seen: leave out the items that the user's recent events are about.
            min_state_version: use at least this version of the user's state, from
                `FeedbackAck.state_version`.
            explain: return the parts of each score and the events that weigh most.
            as_of: rank as if it were this time: a datetime with a time zone, or epoch seconds.
            explore: show some items that are not the best, with known chances; None: never. Ranks
                greedily, too, where the user's budget of explored impressions is used up.
            seed: makes an exploration repeatable; None: a new one each time.
            diversity: how much the items shall differ, 0 (by score alone) to 1 (by difference
                alone); not together with `explore`.
            exclude_owned: leave out the items that are the user's own, by signals that say so.
            timeout_s: seconds for the call. Default: the client's.

        Raises:
            StateBehind: the user's state has not reached `min_state_version`.
        """
        plan = _calls.rank(
            user,
            k=k,
            candidates=candidates,
            query=query,
            context=context,
            exclude_seen=exclude_seen,
            min_state_version=min_state_version,
            explain=explain,
            as_of=as_of,
            explore=explore,
            seed=seed,
            diversity=diversity,
            exclude_owned=exclude_owned,
        )
        return self._driver.run(plan, self._limit(timeout_s))

    def feedback(self, events: Iterable[Event], *, timeout_s: float | None = None) -> FeedbackAck:
        """Learns from events; when it returns, those accepted are durable and each counts once.

        A refused event does not raise: see `FeedbackAck.refused` and `raise_for_refused`. Sent in
        calls of 1,000; after an error the whole list may be sent again: events keep their ids.

        Args:
            events: 1 or more, of any users, in any order.
            timeout_s: seconds for each call to the server. Default: the client's.
        """
        return self._driver.run(_calls.feedback(events), self._limit(timeout_s))

    def reserve(
        self,
        user: str,
        recommendation_id: str,
        options: Sequence[ReserveOption],
        n: int,
        *,
        lapse_s: int = _reserve.LAPSE_S,
        as_of: datetime | float | None = None,
        timeout_s: float | None = None,
    ) -> Reservations:
        """Reserves impressions for a user: caps and budgets are looked at and taken in one step.

        An event with the signal `impression`, the same recommendation id and the item confirms a
        reservation; one that is not confirmed lapses. A repeated call gets the same reservations.

        Args:
            user: for whom; 1 to 256 bytes.
            recommendation_id: `Ranking.recommendation_id`, or 1 to 64 bytes of your own.
            options: 1 to 1,000, the most wanted first, each item at most once.
            n: how many to reserve at most, 1 to 100.
            lapse_s: seconds until an unconfirmed reservation gives back its place and its money,
                1 to 3,600.
            as_of: reserve as if it were this time: a datetime with a time zone, or epoch seconds.
            timeout_s: seconds for the call. Default: the client's.

        Raises:
            UnknownItem: the catalog does not hold one of the items.
        """
        plan = _reserve.reserve(user, recommendation_id, options, n, lapse_s=lapse_s, as_of=as_of)
        return self._driver.run(plan, self._limit(timeout_s))

    def user(self, user: str, *, timeout_s: float | None = None) -> UserState:
        """Reads a user's record.

        Args:
            user: 1 to 256 bytes.
            timeout_s: seconds for the call. Default: the client's.

        Raises:
            UserNotFound: no event of this user was ever accepted.
        """
        return self._driver.run(_calls.user(user), self._limit(timeout_s))

    def export_user(self, user: str, *, timeout_s: float | None = None) -> UserExport:
        """Reads all that is known of a user: the record and every row of the log.

        Args:
            user: 1 to 256 bytes.
            timeout_s: seconds for each page of 1,000 rows. Default: the client's.

        Raises:
            UserNotFound: no event of this user was ever accepted.
        """
        return self._driver.run(_calls.export_user(user), self._limit(timeout_s))

    def forget_user(self, user: str, *, timeout_s: float | None = None) -> int:
        """Deletes a user's record and every log row; returns how many rows there were.

        Args:
            user: 1 to 256 bytes.
            timeout_s: seconds for the call. Default: the client's.

        Raises:
            UserNotFound: nothing is known of the user; also where an attempt whose answer was lost
                had deleted it.
        """
        return self._driver.run(_calls.forget_user(user), self._limit(timeout_s))

    def embed(
        self,
        texts: Iterable[str],
        *,
        encoder_version: str = "",
        timeout_s: float | None = None,
    ) -> Embeddings:
        """Encodes texts as the catalog's are.

        Args:
            texts: 1 or more, each of 1 to 8,192 bytes.
            encoder_version: the encoder to use, as a reply named it. Default: the catalog's own.
            timeout_s: seconds for each call of 256 texts. Default: 30, or the client's if longer.
        """
        return self._driver.run(_calls.embed(texts, encoder_version), self._bulk(timeout_s))

    def ready(self, *, timeout_s: float | None = None) -> bool:
        """Whether the server says that all of Penchant's models take requests; it does not retry.

        Args:
            timeout_s: seconds for all the answers. Default: the client's.
        """
        return self._driver.ready(self._limit(timeout_s))

    def close(self) -> None:
        """Ends the connection; calls that are under way, and later ones, raise Cancelled."""
        self._driver.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._target!r})"

    def _limit(self, timeout_s: float | None) -> float:
        return self._timeout_s if timeout_s is None else timeout_s

    def _bulk(self, timeout_s: float | None) -> float:
        return max(BULK_TIMEOUT_S, self._timeout_s) if timeout_s is None else timeout_s
