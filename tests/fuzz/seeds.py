"""What the fuzzers start from: calls and records as the product's own encoders write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from penchant.domain.rewards import ResolvedSignal
from penchant.domain.types import (
    RECENT_DTYPE,
    WINDOW_DTYPE,
    Counters,
    FoldKey,
    Interest,
    Record,
    UserState,
)
from penchant.domain.user_contribution import added, contribute
from penchant.store.codec import encode_counters, encode_record, encode_user
from penchant.store.item_contributions import encode_contribution
from penchant_proto.v1 import event_pb2, feedback_pb2, rank_pb2
from penchant_proto.v1.service_pb2 import Call


def calls() -> list[bytes]:
    """Calls of rank, of other methods, and some that are cut."""
    some = rank_pb2.Candidates(ids=[f"item {number}" for number in range(5)])
    requests = [
        rank_pb2.RankRequest(user="u", k=3),
        rank_pb2.RankRequest(user="ü", k=1000, candidates=some, exclude_seen=True),
        rank_pb2.RankRequest(user="u", k=1, min_state_version=2**63, as_of_us=-1),
        rank_pb2.RankRequest(user="u", k=1, query="a comedy", explain=True, diversity=0.5),
        rank_pb2.RankRequest(user="u", k=1, context={"device": "tv", "daypart": "evening"}),
    ]
    whole = [Call(rank=request).SerializeToString() for request in requests]
    whole.append(Call(rank=requests[0], health_check=True).SerializeToString())
    return [*whole, whole[1][:-3], b"", b"\xff" * 12]


def feedback_calls() -> list[bytes]:
    """Calls of feedback with everything an event may hold, of other methods, and a cut one."""
    plain = event_pb2.Event(event_id="e", user="u", item="toy", signal="like")
    full = event_pb2.Event(
        event_id="é",
        user="\U0001f600",
        item="toy",
        signal="impression",
        value=-4.5e-7,
        occurred_at_us=10**15,
        recommendation_id="r",
        context={"room": "hall", "": ""},
        exposure=event_pb2.Exposure(position=3, propensity=0.1, score=1e300),
    )
    requests = [[plain], [full], [plain, full, plain]]
    whole = [
        Call(feedback=feedback_pb2.FeedbackRequest(events=events), timeout_ms=7).SerializeToString()
        for events in requests
    ]
    return [*whole, whole[1][:-3], *calls()[:1], b""]


def feedback_rows() -> list[bytes]:
    """Rows that an event finds, behind the byte that says whose: records, counters, parts."""
    like = ResolvedSignal(1.0, 1.0, wait_s=None)
    part = contribute(contribute(None, like, 10**15, 1000.0), like, 10**15 + 7, 1000.0)
    counters = added(added(Counters(), part, 1000.0), part, 1000.0)
    values = [*records(), encode_counters(counters), encode_contribution(part)]
    return [bytes([kind]) + value for value in values for kind in range(6)]


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


def windows() -> list[bytes]:
    """Windows of likes of both items of the target, some of them far in the future."""
    found = []
    for events in (1, 3, 12):
        window = np.zeros(events, WINDOW_DTYPE)
        window["occurred_at_us"] = 10**15 - np.arange(events)[::-1] * 10**9
        window["event"] = np.arange(events)
        window["item"] = np.arange(events) % 2
        window["reward"] = window["weight"] = 1.0
        found.append(window.tobytes())
        window["wait_s"], window["reward"] = 60.0, np.nan
        found.append(window.tobytes())
    return found


def vectors() -> list[bytes]:
    """A user's one or two vectors and a few rows, behind bytes that say how long and how many."""
    random = np.random.default_rng(1)
    found = []
    for dimensions in (1, 8, 33):
        drawn = random.standard_normal((6, dimensions)).astype(np.float32)
        for rows in (drawn, drawn * 1e-38, drawn * 1e18, np.round(drawn)):
            found += [bytes([dimensions - 1, one]) + rows.tobytes() for one in range(2)]
    return found


SEEDS: Mapping[str, Callable[[], list[bytes]]] = {
    "coarse_rows": vectors,
    "crc32": records,
    "feedback_batch": feedback_rows,
    "feedback_request": feedback_calls,
    "fold": windows,
    "rank_request": calls,
    "record": records,
}
"""By the name of the target, as in `targets/fuzz_NAME.cpp`."""
