"""The server that is measured: a running one, or one of its own on made-up items."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import grpc

from penchant.capacity.capacity_request import CapacityRequest
from penchant.capacity.load_calls import CallMix
from penchant.capacity.open_loop import Address
from penchant.capacity.process_usage import TRITON, server_at
from penchant.domain.errors import ConfigError
from penchant.launch import Server
from penchant.launch.model_parameters import gather
from penchant.launch.probe import infer_of, open_channel, request_of
from penchant.launch.tls import ChannelAccess
from penchant.report.printable import printable
from penchant.system.progress import Progress
from penchant_proto.methods import METHODS
from penchant_proto.v1 import catalog_pb2, event_pb2, feedback_pb2, item_pb2, rank_pb2, user_pb2
from penchant_proto.v1.service_pb2 import Call, Reply

MADE_UP_EVENTS = 30
"""Events of each made-up user of a server of its own, at most those of a call that is not cut."""
_FOUND_ITEMS = 1000
_PUT = 250
_TIMEOUT_S = 60.0
_THINGS = ("harbour", "sister", "dog", "moon", "bank", "winter", "chef", "river", "letter", "train")

_Ask = Callable[..., Reply]
"""Takes a call, and `unknown=True` if its user may be unknown to the server."""


@dataclass(frozen=True, slots=True)
class MeasuredServer:
    """A server that is up, and what to call it with."""

    address: Address
    mix: CallMix
    pids: dict[str, int]
    """Its processes on this machine by name; empty if they cannot be seen."""
    about: str
    """What it is, in words."""


@contextmanager
def measured_server(request: CapacityRequest, progress: Progress) -> Iterator[MeasuredServer]:
    """The server of a request, up and filled.

    A running server keeps its items. Where events are reported, their made-up users are forgotten
    at the end, in any case.

    Raises:
        ConfigError: it gives no good answer to a ranking, or has no items.
        LaunchError: a server of its own cannot be started.
    """
    if request.target is not None:
        with _running(request, request.target, progress) as server:
            yield server
        return
    with tempfile.TemporaryDirectory(prefix="penchant-capacity-") as name:
        place = Path(name)
        given = gather(None, request.encoder, request.settings)
        given["store"] = f"lmdb:{place / 'store'}"
        instances = {"penchant_rank": request.rank_instances}
        progress("Starting Triton", 0.0)
        with Server(place / "server", given, instances=instances) as server:
            users = _users(request)
            items = [f"item-{number:06}" for number in range(request.items)]
            with _asking(server.target, server.access) as ask:
                _put(ask, items, progress)
                _teach(ask, users, items, progress)
            pid = server.pid
            pids = {**({TRITON: pid} if pid else {}), **server.pids()}
            address = Address(server.target, server.access.token)
            about = (
                f"a server of its own: {request.items:,} made-up items, {len(users):,} users of "
                f"{MADE_UP_EVENTS} events, {request.rank_instances} processes that rank"
            )
            yield MeasuredServer(address, _mix(request, users, items), pids, about)


@contextmanager
def _running(request: CapacityRequest, target: str, progress: Progress) -> Iterator[MeasuredServer]:
    token = request.token.reader()
    files = request.tls.named()
    access = ChannelAccess(request.tls.credentials(), token=token() if token else "")
    users = _users(request)
    progress("Asking the server", 0.0)
    with _asking(target, access) as ask:
        found = ask(Call(rank=rank_pb2.RankRequest(user=users[0], k=_FOUND_ITEMS)))
        items = [item.id for item in found.rank.items]
        if not items:
            raise ConfigError(f"the server at {target} has no items; import some first")
        address = Address(target, access.token, files.tls_ca, files.tls_cert, files.tls_key)
        mix = _mix(request, users, items)
        try:
            yield MeasuredServer(address, mix, server_at(target), f"the server at {target}")
        finally:
            if request.feedback and request.users is None:
                for number, user in enumerate(users):
                    progress("Forgetting the made-up users", number / len(users))
                    # The load was random: some of them reported nothing.
                    ask(Call(forget_user=user_pb2.ForgetUserRequest(user=user)), unknown=True)


def _mix(request: CapacityRequest, users: Sequence[str], items: Sequence[str]) -> CallMix:
    return CallMix(users, items, request.feedback, request.candidates, request.k)


def _users(request: CapacityRequest) -> list[str]:
    """The ids of the users who ask.

    Raises:
        ConfigError: the file has none, or is no text.
    """
    if request.users is None:
        run = uuid.uuid4().hex[:8]
        return [f"capacity-{run}-{number:04}" for number in range(request.made_up_users)]
    try:
        lines = request.users.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise ConfigError(f"users: {request.users} is no text in UTF-8") from None
    users = [line.strip() for line in lines if line.strip()]
    if not users:
        raise ConfigError(f"users: {request.users} has no ids, expected one a line")
    return users


@contextmanager
def _asking(target: str, access: ChannelAccess) -> Iterator[_Ask]:
    """A function that makes one call and gives its reply."""
    with open_channel(target, access) as channel:
        infer = partial(infer_of(channel), metadata=access.metadata(), timeout=_TIMEOUT_S)

        def ask(call: Call, *, unknown: bool = False) -> Reply:
            model = METHODS[call.WhichOneof("method") or ""].model
            try:
                response = infer(request_of(model, call))
            except grpc.RpcError as error:
                failed = cast(grpc.Call, error)
                text = printable(failed.details() or failed.code().name)
                if unknown and failed.code() is grpc.StatusCode.NOT_FOUND:
                    return Reply()
                raise ConfigError(
                    f"no good answer from the server at {target} ({text}); `penchant doctor "
                    f"--target {target}` looks closer"
                ) from None
            return Reply.FromString(b"".join(response.raw_output_contents)[4:])

        yield ask


def _put(ask: _Ask, items: Sequence[str], progress: Progress) -> None:
    for at in range(0, len(items), _PUT):
        progress("Encoding items", at / len(items))
        put = [
            item_pb2.Item(id=item, text=f"Story {at + place} of a {_THINGS[place % len(_THINGS)]}")
            for place, item in enumerate(items[at : at + _PUT])
        ]
        ask(Call(put_items=catalog_pb2.PutItemsRequest(items=put)))


def _teach(ask: _Ask, users: Sequence[str], items: Sequence[str], progress: Progress) -> None:
    """Gives every user a past."""
    for number, user in enumerate(users):
        if number % 50 == 0:
            progress("Filling users", number / len(users))
        events = [
            event_pb2.Event(
                event_id=f"{user}-{place}",
                user=user,
                item=items[(number * 31 + place * 17) % len(items)],
                signal="like",
            )
            for place in range(MADE_UP_EVENTS)
        ]
        ask(Call(feedback=feedback_pb2.FeedbackRequest(events=events)))
