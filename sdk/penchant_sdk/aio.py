"""The asyncio client: the twin of `Penchant`, verb for verb.

>>> import asyncio
>>> from penchant_sdk import Event, Item
>>> from penchant_sdk.testing import AsyncFakePenchant  # AsyncPenchant(...) in real life
>>> async def main() -> int:
...     async with AsyncFakePenchant() as penchant:
...         await penchant.put_items([Item(id="1", text="Toy Story (1995). Animation, Comedy")])
...         ack = await penchant.feedback([Event(user="u42", item="1", signal="like")])
...         return ack.state_version("u42")
>>> asyncio.run(main())
1
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Self

import grpc

from penchant_sdk import _calls, _reserve
from penchant_sdk._drive import AsyncDriver
from penchant_sdk._retry import RetryPolicy, check_timeout
from penchant_sdk._transport import AsyncGrpcTransport, AsyncTransport, ChannelOptions, Metadata
from penchant_sdk.client import BULK_TIMEOUT_S
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


class AsyncPenchant:
    """A connection to a Triton that serves Penchant; safe to share between tasks of one event loop.

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
        transport: AsyncTransport | None = None,
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
            transport = AsyncGrpcTransport(
                target, credentials=credentials, metadata=metadata, channel_options=channel_options
            )
        self._driver = AsyncDriver(transport, policy)

    async def put_items(
        self, items: Iterable[Item], *, timeout_s: float | None = None
    ) -> PutItemsResult:
        """Adds or replaces items; see `Penchant.put_items`."""
        return await self._driver.run(_calls.put_items(items), self._bulk(timeout_s))

    async def delete_items(
        self, ids: Iterable[str], *, timeout_s: float | None = None
    ) -> DeleteItemsResult:
        """Removes items from every ranking; see `Penchant.delete_items`."""
        return await self._driver.run(_calls.delete_items(ids), self._limit(timeout_s))

    async def get_items(
        self, ids: Iterable[str], *, timeout_s: float | None = None
    ) -> GetItemsResult:
        """Reads items back, as they were put; see `Penchant.get_items`."""
        return await self._driver.run(_calls.get_items(ids), self._limit(timeout_s))

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
        """The best k items for a user; see `Penchant.rank`."""
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
        return await self._driver.run(plan, self._limit(timeout_s))

    async def feedback(
        self, events: Iterable[Event], *, timeout_s: float | None = None
    ) -> FeedbackAck:
        """Learns from events; see `Penchant.feedback`."""
        return await self._driver.run(_calls.feedback(events), self._limit(timeout_s))

    async def reserve(
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
        """Reserves impressions for a user; see `Penchant.reserve`."""
        plan = _reserve.reserve(user, recommendation_id, options, n, lapse_s=lapse_s, as_of=as_of)
        return await self._driver.run(plan, self._limit(timeout_s))

    async def user(self, user: str, *, timeout_s: float | None = None) -> UserState:
        """Reads a user's record; see `Penchant.user`."""
        return await self._driver.run(_calls.user(user), self._limit(timeout_s))

    async def export_user(self, user: str, *, timeout_s: float | None = None) -> UserExport:
        """Reads all that is known of a user; see `Penchant.export_user`."""
        return await self._driver.run(_calls.export_user(user), self._limit(timeout_s))

    async def forget_user(self, user: str, *, timeout_s: float | None = None) -> int:
        """Deletes a user's record and every log row; see `Penchant.forget_user`."""
        return await self._driver.run(_calls.forget_user(user), self._limit(timeout_s))

    async def embed(
        self,
        texts: Iterable[str],
        *,
        encoder_version: str = "",
        timeout_s: float | None = None,
    ) -> Embeddings:
        """Encodes texts as the catalog's are; see `Penchant.embed`."""
        return await self._driver.run(_calls.embed(texts, encoder_version), self._bulk(timeout_s))

    async def ready(self, *, timeout_s: float | None = None) -> bool:
        """Whether the server says that it is ready; see `Penchant.ready`."""
        return await self._driver.ready(self._limit(timeout_s))

    async def close(self) -> None:
        """Ends the connection; see `Penchant.close`."""
        await self._driver.transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._target!r})"

    def _limit(self, timeout_s: float | None) -> float:
        return self._timeout_s if timeout_s is None else timeout_s

    def _bulk(self, timeout_s: float | None) -> float:
        return max(BULK_TIMEOUT_S, self._timeout_s) if timeout_s is None else timeout_s
