"""An in-memory server that speaks the contract's messages and keeps its laws."""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Callable
from uuid import uuid4

from google.protobuf.message import DecodeError
from grpc import StatusCode

from penchant_proto.v1 import embed_pb2, rank_pb2, service_pb2
from penchant_sdk import _fake_checks as checks
from penchant_sdk._fake_catalog import ENCODER_VERSION, FakeCatalog
from penchant_sdk._fake_choosing import choose
from penchant_sdk._fake_ledger import FakeLedger
from penchant_sdk._fake_maths import DIMENSIONS, Taste, embed
from penchant_sdk._fake_users import FakeUsers
from penchant_sdk.errors import (
    EncoderUnavailable,
    InvalidRequest,
    PenchantError,
    StateBehind,
    UnknownItem,
    UserNotFound,
)

_CODES: dict[type[PenchantError], StatusCode] = {
    InvalidRequest: StatusCode.INVALID_ARGUMENT,
    UnknownItem: StatusCode.INVALID_ARGUMENT,
    UserNotFound: StatusCode.NOT_FOUND,
    StateBehind: StatusCode.UNAVAILABLE,
    EncoderUnavailable: StatusCode.UNAVAILABLE,
}


class StatusError(Exception):
    """A status of the wire: a code and a message."""

    def __init__(self, code: StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class FakeServer:
    """Items, users and logs in memory; thread-safe. One server may back several clients."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Makes an empty server.

        Args:
            clock: the server's clock, in seconds since 1970-01-01 UTC.
        """
        self._lock = threading.Lock()
        self._clock = clock
        self._catalog = FakeCatalog()
        self._ledger = FakeLedger(self._catalog, clock)
        self._users = FakeUsers(self._catalog, self._ledger, clock)
        self._failures: list[tuple[StatusCode, str]] = []

    def fail_next(self, message: str, *, code: StatusCode, times: int = 1) -> None:
        """Answers the next calls with an error instead.

        Args:
            message: for example "[Overloaded] the queue is full".
            code: the status code that goes with it.
            times: how many calls; the client's retries count.
        """
        with self._lock:
            self._failures += [(code, message)] * times

    def infer(self, payload: bytes) -> bytes:
        """The serialized Reply to a serialized Call; raises StatusError."""
        with self._lock:
            if self._failures:
                raise StatusError(*self._failures.pop(0))
            try:
                return self._answer(payload).SerializeToString()
            except PenchantError as error:
                raise StatusError(_CODES[type(error)], f"[{error.reason}] {error}") from error

    def _answer(self, payload: bytes) -> service_pb2.Reply:
        try:
            call = service_pb2.Call.FromString(payload)
        except DecodeError:
            raise InvalidRequest(f"REQUEST: got {len(payload)} bytes that are no Call") from None
        match call.WhichOneof("method"):
            case "rank":
                return service_pb2.Reply(rank=self._rank(call.rank))
            case "feedback":
                return service_pb2.Reply(feedback=self._users.feedback(call.feedback))
            case "reserve":
                return service_pb2.Reply(reserve=self._ledger.reserve(call.reserve))
            case "put_items":
                return service_pb2.Reply(put_items=self._catalog.put_items(call.put_items))
            case "delete_items":
                return service_pb2.Reply(delete_items=self._catalog.delete_items(call.delete_items))
            case "get_items":
                return service_pb2.Reply(get_items=self._catalog.get_items(call.get_items))
            case "get_user":
                return service_pb2.Reply(get_user=self._users.get_user(call.get_user))
            case "export_user":
                return service_pb2.Reply(export_user=self._users.export_user(call.export_user))
            case "forget_user":
                return service_pb2.Reply(forget_user=self._users.forget_user(call.forget_user))
            case "embed":
                return service_pb2.Reply(embed=self._embed(call.embed))
        raise InvalidRequest("REQUEST: got a Call without a method, expected one")

    def _rank(self, request: rank_pb2.RankRequest) -> rank_pb2.RankReply:
        checks.check_rank(request)
        catalog, user = self._catalog, self._users.find(request.user)
        version = len(user.rows)
        if version < request.min_state_version:
            raise StateBehind(
                f"min_state_version: got {request.min_state_version}, the user's state is at "
                f"{version}; ask again in a moment"
            )
        window = user.window()
        asked = set(request.candidates.ids if request.HasField("candidates") else catalog.items)
        seen = {one.event.item for one in window} if request.exclude_seen else set()
        left_out = seen | (user.owned if request.exclude_owned else set())
        ids = sorted((asked & catalog.items.keys()) - left_out, key=catalog.places.__getitem__)
        taste = Taste(window, catalog.vectors)
        query = embed(request.query) if request.query else None
        scores = {
            id: taste.score(catalog.vectors[id], catalog.positives.get(id, 0.0), query)
            for id in ids
        }
        left = user.explorations_left(request.as_of_us or round(self._clock() * 1e6))
        placed = choose(request, scores, catalog.vectors, left)
        reply = rank_pb2.RankReply(
            recommendation_id=uuid4().hex,
            items=[
                rank_pb2.RankedItem(id=id, score=scores[id], propensity=chance)
                for id, chance in placed
            ],
            unknown_candidates=[id for id in request.candidates.ids if id not in catalog.items],
            state_version=version,
            catalog_version=catalog.version,
            encoder_version=ENCODER_VERSION,
            cold_start=version == 0,
            explored=request.HasField("explore") and left > 0,
            propensity_estimated=request.explore.HasField("thompson") and left > 0,
            explorations_left=left,
        )
        for item in reply.items if request.explain else ():
            positives = catalog.positives.get(item.id, 0.0)
            part = taste.explain(catalog.vectors[item.id], positives, query)
            item.explanation.CopyFrom(part)
        return reply

    def _embed(self, request: embed_pb2.EmbedRequest) -> embed_pb2.EmbedReply:
        checks.check_texts(request.texts)
        if request.encoder_version not in ("", ENCODER_VERSION):
            raise EncoderUnavailable(f"encoder: {request.encoder_version} is not there")
        return embed_pb2.EmbedReply(
            vectors=b"".join(
                struct.pack(f"<{DIMENSIONS}f", *embed(text)) for text in request.texts
            ),
            dimensions=DIMENSIONS,
            encoder_version=ENCODER_VERSION,
        )
