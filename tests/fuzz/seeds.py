"""What the fuzzers start from: calls and records as the product's own encoders write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from penchant.domain.types import (
    RECENT_DTYPE,
    WINDOW_DTYPE,
    FoldKey,
    Interest,
    Record,
    UserState,
)
from penchant.store.codec import encode_record, encode_user
from penchant_proto.v1 import rank_pb2
from penchant_proto.v1.service_pb2 import Call


def calls() -> list[bytes]:
    """Calls of rank, of other methods, and some that are cut."""
    some = [f"item {number}" for number in range(5)]
    requests = [
        rank_pb2.RankRequest(user="u", k=3),
        rank_pb2.RankRequest(user="ü", k=1000, candidates=some, exclude_seen=True),
        rank_pb2.RankRequest(user="u", k=1, min_state_version=2**63, as_of_us=-1),
        rank_pb2.RankRequest(user="u", k=1, query="a comedy", explain=True, exploration=0.5),
        rank_pb2.RankRequest(user="u", k=1, context={"device": "tv", "daypart": "evening"}),
    ]
    whole = [Call(rank=request).SerializeToString() for request in requests]
    whole.append(Call(rank=requests[0], health_check=True).SerializeToString())
    return [*whole, whole[1][:-3], b"", b"\xff" * 12]


def records() -> list[bytes]:
    """Records with and without events and a cached fold: their payloads, and sealed."""
    found = []
    for events in (0, 1, 30):
        window = np.zeros(events, WINDOW_DTYPE)
        window["occurred_at_us"] = window["event"] = np.arange(events)
        record = Record(events, window)
        recent = np.zeros(min(events, 3), RECENT_DTYPE)
        interest = Interest(np.ones(4, np.float32), np.ones(4, np.float32), recent)
        sealed = encode_user(UserState(record, FoldKey(1, 2, 3, 4), interest))
        found += [encode_record(record), sealed[5:], sealed]
    return found


SEEDS: Mapping[str, Callable[[], list[bytes]]] = {
    "crc32": records,
}
"""By the name of the target, as in `targets/fuzz_NAME.cpp`."""
