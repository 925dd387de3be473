"""Penchant through plain `tritonclient`, without the SDK: put, rank, feedback, rank again.

Start a server first, then run this beside it:

    pip install 'tritonclient[grpc,http]'
    python examples/tritonclient_rank.py grpc localhost:8001
    python examples/tritonclient_rank.py http localhost:8000

Each call is one `Call` message in the tensor REQUEST; the `Reply` comes back in the tensor REPLY.
`penchant_proto` holds the generated messages; other languages generate theirs from
`proto/penchant/v1`.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable

import numpy as np
import tritonclient.grpc
import tritonclient.http

from penchant_proto.local_targets import proxy_options
from penchant_proto.methods import METHODS, REPLY_TENSOR, REQUEST_TENSOR
from penchant_proto.v1.service_pb2 import Call, Reply

FILMS = {
    "toy": "Toy Story (1995). Animation, Children, Comedy",
    "heat": "Heat (1995). Action, Crime, Thriller",
    "fargo": "Fargo (1996). Crime, Drama, Thriller",
}

Send = Callable[[Call], Reply]


def sender(protocol: str, target: str, timeout_s: float = 10.0) -> Send:
    """A function that sends a call and returns its reply.

    Args:
        protocol: grpc or http.
        target: HOST:PORT of Triton's endpoint for the protocol.
        timeout_s: deadline of each call, in seconds.

    The sender raises `tritonclient.utils.InferenceServerException`, whose message begins with the
    reason in brackets: `[UserNotFound] user: ...`.
    """
    options: dict[str, float] = {}
    if protocol == "grpc":
        module, options = tritonclient.grpc, {"client_timeout": timeout_s}
        # Given here, they replace tritonclient's own: without limits, and past any proxy if local.
        limits = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
        client = module.InferenceServerClient(target, channel_args=limits + proxy_options(target))
    else:
        module = tritonclient.http
        client = module.InferenceServerClient(target, network_timeout=timeout_s)

    def send(call: Call) -> Reply:
        method = call.WhichOneof("method")
        if method is None:
            raise ValueError("call: got no method, expected one of Call's")
        request = module.InferInput(REQUEST_TENSOR, [1, 1], "BYTES")
        request.set_data_from_numpy(np.array([[call.SerializeToString()]], dtype=np.object_))
        result = client.infer(METHODS[method].model, [request], **options)
        return Reply.FromString(result.as_numpy(REPLY_TENSOR).item())

    return send


def put(send: Send) -> None:
    """Puts three films into the catalog."""
    call = Call()
    for id_, text in FILMS.items():
        call.put_items.items.add(id=id_, text=text)
    send(call)


def rank(send: Send, user: str, state_version: int = 0) -> list[str]:
    """The ids of the films, best first, as of a state version of the user or a later one."""
    call = Call()
    call.rank.user, call.rank.k, call.rank.min_state_version = user, len(FILMS), state_version
    call.rank.candidates.ids.extend(FILMS)
    return [item.id for item in send(call).rank.items]


def like(send: Send, user: str, item: str) -> int:
    """Reports that the user likes an item; returns the user's new state version.

    Raises:
        ValueError: the server refused the event.
    """
    call = Call()
    # A retry must send the same id: then the event counts once.
    call.feedback.events.add(event_id=uuid.uuid4().hex, user=user, item=item, signal="like")
    (result,) = send(call).feedback.results
    if result.reason:  # A refused event does not fail the call.
        raise ValueError(f"[{result.reason}] {result.message}")
    return result.state_version


def main() -> None:
    """Runs the example over the protocol that the command line names."""
    protocol = sys.argv[1] if len(sys.argv) > 1 else "grpc"
    default = "localhost:8001" if protocol == "grpc" else "localhost:8000"
    send = sender(protocol, sys.argv[2] if len(sys.argv) > 2 else default)
    user = f"tritonclient-{uuid.uuid4().hex[:8]}"
    put(send)
    print("before:", ", ".join(rank(send, user)))
    version = like(send, user, "fargo")
    print("after: ", ", ".join(rank(send, user, version)))


if __name__ == "__main__":
    main()
