"""The asynchronous client.

>>> import asyncio
>>> from penchant_sdk import Event, Item
>>> from penchant_sdk.testing import AsyncFakePenchant  # AsyncPenchant("localhost:8001") in use
>>> async def main() -> tuple[bool, int]:
...     async with AsyncFakePenchant() as penchant:
...         put = await penchant.put_items([Item(id="1", text="Toy Story (1995). Animation")])
...         ranking = await penchant.rank(user="u42", k=10)
...         like = Event(user="u42", item=ranking.items[0].id, signal="like")
...         ack = await penchant.feedback([like])
...         ack.raise_for_refused()
...         again = await penchant.rank(user="u42", min_state_version=ack.state_version("u42"))
...     return ranking.cold_start, again.state_version
>>> asyncio.run(main())
(True, 1)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Self, TypeVar

import grpc

from penchant_proto.v1 import service_pb2
from penchant_sdk import _operations
from penchant_sdk._aio_sender import AsyncBalancedSender, AsyncSender
from penchant_sdk._aio_spool import AsyncSpool
from penchant_sdk._aio_transport import AsyncGrpcTransport, AsyncTransport
from penchant_sdk._arguments import longer_than_zero
from penchant_sdk._bearer import AsyncToken
from penchant_sdk._channel import ChannelOptions, Metadata
from penchant_sdk._endpoint_names import check_spelling, endpoint_names
from penchant_sdk._event_loop import EventLoopGuard  # Asyncio only.
from penchant_sdk._hedge_delay import HedgeAfter, HedgeDelay
from penchant_sdk._operations import EncodedCall, Operation, first_call
from penchant_sdk._retry import BULK_TIMEOUT_S, RetryPolicy, check_timeout
from penchant_sdk._retry_budget import SHARE, RetryBudget
from penchant_sdk._spool_file import SPOOL_BYTES, SpoolFile
from penchant_sdk.client_tls import FilePath, Tls, channel_credentials
from penchant_sdk.errors import PenchantError
from penchant_sdk.exploration import Exploration
from penchant_sdk.records import (
    DeleteItemsResult,
    Embeddings,
    ForgetReceipt,
    GetItemsResult,
    MergedUsers,
    PutItemsResult,
    UserExport,
    UserState,
)
from penchant_sdk.reservations import Reservations, ReserveOption
from penchant_sdk.types import Event, FeedbackAck, Item, Ranking

T = TypeVar("T")


class AsyncPenchant:
    """A client of Tritons that serve Penchant; safe to share between tasks of one event loop.

    Every verb may raise a `PenchantError`: `InvalidRequest` for a wrong argument, `Unavailable` or
    one of its subclasses if the server did not take the call after all retries, `DeadlineExceeded`
    if time ran out. Each verb documents the errors that it raises beyond these.
    """

    def __init__(
        self,
        target: str | Sequence[str] = "localhost:8001",
        *,
        timeout_s: float = 1.0,
        max_attempts: int = 4,
        tls: Tls | FilePath | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        metadata: Metadata = (),
        token: AsyncToken | None = None,
        channel_options: ChannelOptions = (),
        retry_share: float = SHARE,
        hedge_after_ms: HedgeAfter | None = None,
        max_connection_age_s: float | None = None,
        spool: FilePath | None = None,
        spool_bytes: int = SPOOL_BYTES,
        transport: AsyncTransport | None = None,
    ) -> None:
        """Makes the client; it connects at the first call.

        Args:
            target: host:port of Triton's gRPC endpoint, or any gRPC target; for several endpoints,
                a sequence, or a text with commas. A local one (loopback, `localhost`, `unix:`) is
                never reached through a proxy; others as gRPC decides, by `grpc_proxy`,
                `https_proxy`, `http_proxy` and `no_proxy` in the environment. A name with several
                addresses counts as one endpoint, over whose addresses gRPC balances.
            timeout_s: seconds for one call to the server, retries included; more than 0. Every verb
                accepts its own `timeout_s` instead.
            max_attempts: attempts for one call, the first included; 1 or more.
            tls: certificates, as a `Tls` or as a directory with `ca.crt` and, where the server asks
                for a certificate of the client, `tls.crt` and `tls.key`. None: no encryption. Read
                here, once: make a new client after a renewal.
            credentials: for TLS in any other way, from `grpc.ssl_channel_credentials`.
            metadata: pairs sent with every call.
            token: shown with every call to a server that asks for tokens: a text, or a function
                that returns the one to use now (in asyncio, a coroutine function will do). After a
                refusal because the token has expired, the function is asked once more and the call
                repeated. Without TLS, whoever sees the network sees the token.
            channel_options: gRPC channel arguments; they override Penchant's own (keepalive,
                sizes, balancing).
            retry_share: retries and hedges for each call, over all calls of the client; 0 or more.
                One a second and 20 at once are free. Attempts whose connection failed don't count.
            hedge_after_ms: with several endpoints, a ranking without an answer after so many
                milliseconds goes to a second one too, and the first answer counts. "p95": after 95
                % of the latest rankings had theirs. None: never.
            max_connection_age_s: seconds after which a new connection takes the place of an old
                one, give or take a tenth; calls under way end on the old one. None: never.
            spool: file that keeps feedback which can't be delivered, and from which it is delivered
                later, also by the next process. One client uses it at a time. None: such feedback
                raises an error.
            spool_bytes: size limit of that file, 4,096 or more.
            transport: carries the calls instead of gRPC, for tests.

        Raises:
            InvalidRequest: an argument is out of range, gRPC could never reach a target as it is
                spelt, a file of `tls` or the spool can't be used, or the token is none.
        """
        names = endpoint_names(target)
        self._target = ",".join(names)
        self._timeout_s = check_timeout(timeout_s)
        policy, budget = RetryPolicy(max_attempts=max_attempts), RetryBudget(retry_share)
        hedge = None if hedge_after_ms is None else HedgeDelay(hedge_after_ms, len(names))
        if max_connection_age_s is not None:
            longer_than_zero("max_connection_age_s", max_connection_age_s)
        if transport is None:
            check_spelling(names)
            own_credentials = channel_credentials(tls, credentials)
            transports = [
                AsyncGrpcTransport(
                    name,
                    credentials=own_credentials,
                    metadata=metadata,
                    token=token,
                    channel_options=channel_options,
                    several=len(names) > 1,
                    max_connection_age_s=max_connection_age_s,
                )
                for name in names
            ]
            self._sender = (
                AsyncBalancedSender(names, transports, policy, budget, hedge)
                if len(names) > 1
                else AsyncSender(transports[0], policy, budget)
            )
        else:
            self._sender = AsyncSender(transport, policy, budget)
        self._spool: AsyncSpool | None = None
        if spool is not None:
            file = SpoolFile(spool, spool_bytes)
            self._spool = AsyncSpool(file, self._sender, self._timeout_s)
            self._spool.start()
        self._loop = EventLoopGuard()  # Asyncio only.

    async def put_items(
        self, items: Iterable[Item], *, timeout_s: float | None = None
    ) -> PutItemsResult:
        """Adds or replaces items; when it returns, they are durable and can be ranked.

        Items are sent in calls of at most 256 items and 1 MiB, each of which takes effect in full
        or not at all. All items are checked before the first call. Putting the same items again
        changes nothing, so after an error the whole list may be sent again.

        Args:
            items: 1 or more, with distinct ids.
            timeout_s: seconds for each call to the server. Default: 30, or the client's timeout if
                that is longer.
        """
        return await self.run(_operations.put_items(items), timeout_s=timeout_s, bulk=True)

    async def delete_items(
        self, ids: Iterable[str], *, timeout_s: float | None = None
    ) -> DeleteItemsResult:
        """Removes items from every ranking; events about them stay in the logs.

        Args:
            ids: 1 or more. The result lists those that the catalog does not hold.
            timeout_s: seconds for each call of 1,000 ids. Default: the client's timeout.
        """
        return await self.run(_operations.delete_items(ids), timeout_s=timeout_s)

    async def get_items(
        self, ids: Iterable[str], *, timeout_s: float | None = None
    ) -> GetItemsResult:
        """Reads items back, as they were put.

        Args:
            ids: 1 or more. The result lists those that the catalog does not hold.
            timeout_s: seconds for each call of 256 ids. Default: the client's timeout.
        """
        return await self.run(_operations.get_items(ids), timeout_s=timeout_s)

    async def rank(
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
        """Ranks the k best items for a user; an unknown user gets the population's ranking.

        Args:
            user: the user's id, 1 to 256 bytes.
            k: number of items, 1 to 1,000. Fewer are returned if there are no more.
            candidates: ids to choose from, at most 5,000, each at most once. None: the whole
                catalog. The ranking lists unknown ids; they never fail the call.
            query: free text that describes what the user wants now, at most 2,048 bytes.
            context: where and when the user will see the ranking, at most 32 entries. The first
                five keys in alphabetical order influence the scores if the server's setting
                `context_halvings` is above 0.
            exclude_seen: leave out items that occur in the user's recent events.
            min_state_version: use at least this version of the user's state, from
                `FeedbackAck.state_version`.
            explain: return the parts of each score and the events that contribute most.
            as_of: rank as of this time: a datetime with a time zone, or epoch seconds. None: now.
            explore: policy that shows some items other than the best, with known probabilities.
                None: never. The ranking is greedy too once the user's budget of explored
                impressions is used up.
            seed: makes an exploration repeatable. None: a new seed for each call.
            diversity: how much the items should differ, from 0 (by score alone) to 1 (by difference
                alone). Cannot be combined with `explore`.
            exclude_owned: leave out items that a signal marked as the user's own, such as
                `purchased` or `hide`.
            timeout_s: seconds for the call. Default: the client's timeout.

        Raises:
            StateBehind: the user's state has not reached `min_state_version`.
        """
        operation = _operations.rank(
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
        return await self.run(operation, timeout_s=timeout_s)

    async def feedback(
        self, events: Iterable[Event], *, timeout_s: float | None = None
    ) -> FeedbackAck:
        """Learns from events; when it returns, accepted events are durable and count once each.

        A refused event raises nothing: call `raise_for_refused` on the result, or read `refused`.
        The logger `penchant_sdk` warns once for each call with refused events. Events are sent in
        calls of at most 1,000 events and 1 MiB, and all are checked before the first call. They
        keep their ids, so after an error the whole list may be sent again.

        With a spool, events that can't be delivered have the status `SPOOLED`: they are on this
        machine's disk, and no ranking knows them before they are delivered.

        Args:
            events: 1 or more, of any users, in any order.
            timeout_s: seconds for each call to the server. Default: the client's timeout.

        Raises:
            SpoolRefused: neither a server nor the client's spool took the events.
        """
        return await self.run(_operations.feedback(events), timeout_s=timeout_s)

    async def reserve(
        self,
        user: str,
        recommendation_id: str,
        options: Sequence[ReserveOption],
        n: int,
        *,
        lapse_s: int = _operations.LAPSE_S,
        as_of: datetime | float | None = None,
        timeout_s: float | None = None,
    ) -> Reservations:
        """Reserves impressions for a user, checking and charging caps and budgets in one step.

        An event with the signal `impression`, the same recommendation id and the item confirms a
        reservation; an unconfirmed one lapses. A repeated call returns the same reservations.

        Args:
            user: the user's id, 1 to 256 bytes.
            recommendation_id: `Ranking.recommendation_id`, or an id of your own, 1 to 64 bytes.
            options: 1 to 1,000, in order of preference, each item at most once.
            n: maximum number of reservations, 1 to 100.
            lapse_s: seconds until an unconfirmed reservation returns its place and its money, 1 to
                3,600.
            as_of: reserve as of this time: a datetime with a time zone, or epoch seconds. None:
                now.
            timeout_s: seconds for the call. Default: the client's timeout.

        Raises:
            UnknownItem: the catalog does not hold one of the items.
        """
        operation = _operations.reserve(
            user, recommendation_id, options, n, lapse_s=lapse_s, as_of=as_of
        )
        return await self.run(operation, timeout_s=timeout_s)

    async def user(self, user: str, *, timeout_s: float | None = None) -> UserState:
        """Reads a user's record.

        Args:
            user: the user's id, 1 to 256 bytes.
            timeout_s: seconds for the call. Default: the client's timeout.

        Raises:
            UserNotFound: no event of this user was ever accepted.
        """
        return await self.run(_operations.user(user), timeout_s=timeout_s)

    async def export_user(self, user: str, *, timeout_s: float | None = None) -> UserExport:
        """Reads everything stored about a user, which is all that `forget_user` deletes.

        That is the record, the event log, own items, reservations, the ledger, the user's part of
        items' counters, and the tombstone of an earlier deletion. A user who has reservations alone
        has no events.

        Args:
            user: the user's id, 1 to 256 bytes.
            timeout_s: seconds for each page of 1,000 rows. Default: the client's timeout.

        Raises:
            UserNotFound: the server keeps neither an event nor a reservation of the user.
        """
        return await self.run(_operations.export_user(user), timeout_s=timeout_s)

    async def forget_user(self, user: str, *, timeout_s: float | None = None) -> ForgetReceipt:
        """Deletes everything stored about a user; a repetition returns the same receipt.

        Events that happened before are refused from then on (`UserForgotten`), however they arrive.
        Later ones begin anew.

        Args:
            user: the user's id, 1 to 256 bytes.
            timeout_s: seconds for the call. Default: the client's timeout.

        Raises:
            UserNotFound: nothing is stored about the user, and nothing was ever forgotten.
        """
        return await self.run(_operations.forget_user(user), timeout_s=timeout_s)

    async def merge_users(
        self, from_user: str, to_user: str, *, timeout_s: float | None = None
    ) -> MergedUsers:
        """Moves everything that is kept about one user to another: a visitor who signs in.

        Events, own items, reservations and counters are then as if all of it had always been
        `to_user`'s; nothing is kept about `from_user`. A repeated call finds nothing to move and
        changes nothing. Send events of the visitor before the merge, or merge again after them.

        Args:
            from_user: the id of the user to move from, 1 to 256 bytes; one without events is fine.
            to_user: the id of the user to move to, 1 to 256 bytes; one without events is fine.
            timeout_s: seconds for the call. Default: the client's timeout.
        """
        return await self.run(_operations.merge_users(from_user, to_user), timeout_s=timeout_s)

    async def embed(
        self,
        texts: Iterable[str],
        *,
        encoder_version: str = "",
        timeout_s: float | None = None,
    ) -> Embeddings:
        """Encodes texts with the catalog's encoder.

        Args:
            texts: 1 or more, each of 1 to 8,192 bytes.
            encoder_version: another encoder, by the version in an earlier reply. Default: the
                catalog's own.
            timeout_s: seconds for each call of 256 texts. Default: 30, or the client's timeout if
                that is longer.
        """
        operation = _operations.embed(texts, encoder_version)
        return await self.run(operation, timeout_s=timeout_s, bulk=True)

    async def ready(self, *, timeout_s: float | None = None) -> bool:
        """Whether all of Penchant's models take requests, according to the server. Never retries.

        Of several endpoints, one whose models all do is enough.

        Args:
            timeout_s: seconds for all models together. Default: the client's timeout.
        """
        self._loop.check()  # Asyncio only.
        return await self._sender.ready(check_timeout(self._seconds(timeout_s)))

    async def run(
        self, operation: Operation[T], *, timeout_s: float | None = None, bulk: bool = False
    ) -> T:
        """Runs an operation: a verb of `penchant_sdk._operations`, or a generator made of them.

        Clients built on top, such as those in `penchant_sdk.ads`, reach the server only through
        this method. Each call has its own deadline and its own retries. A call's error is raised
        inside the operation, which may handle it.

        Args:
            operation: a generator, not yet started, that yields calls and receives replies.
            timeout_s: seconds for each call, retries included. Default: the client's timeout.
            bulk: whether a call may encode hundreds of texts. If so, the default timeout is 30 s,
                or the client's timeout if that is longer.
        """
        self._loop.check()  # Asyncio only.
        seconds = self._seconds(timeout_s, at_least=BULK_TIMEOUT_S if bulk else 0.0)
        try:
            send = self._sender.send if self._spool is None else self._send
            call = first_call(operation)
            while True:
                try:
                    reply = await send(call, seconds)
                except PenchantError as error:
                    call = operation.throw(error)
                else:
                    call = operation.send(reply)
        except StopIteration as done:
            result: T = done.value
            return result

    async def close(self) -> None:
        """Closes the connection; calls in progress and later calls raise Cancelled."""
        await (self._spool or self._sender).close()

    async def __aenter__(self) -> Self:
        if self._spool is not None:
            self._spool.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._target!r})"

    @property
    def spooled_events(self) -> int:
        """How many events wait in the spool."""
        return 0 if self._spool is None else self._spool.waiting

    async def _send(self, call: EncodedCall, timeout_s: float) -> service_pb2.Reply:
        """Sends a call of a client with a spool."""
        assert self._spool is not None
        self._spool.start()
        if call.verb != "feedback":
            return await self._sender.send(call, timeout_s)
        return await self._spool.send(call, timeout_s)

    def _seconds(self, timeout_s: float | None, at_least: float = 0.0) -> float:
        """The caller's timeout; without one, the client's or `at_least`, whichever is longer."""
        return max(at_least, self._timeout_s) if timeout_s is None else timeout_s
