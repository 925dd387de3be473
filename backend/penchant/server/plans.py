"""Which lane each call waits in, and roughly how many milliseconds of one core it takes.

The numbers are those of `benchmarks/verb_limits.py` on a small machine. Only their ratios matter:
each lane learns from its own calls how long one of these milliseconds takes where it runs.
"""

from __future__ import annotations

from penchant.server.dispatch import SMALL, Lane, Plan
from penchant.service.embed import encoding_cost
from penchant_proto.v1 import (
    catalog_pb2,
    embed_pb2,
    feedback_pb2,
    rank_pb2,
    reserve_pb2,
    user_pb2,
)

SMALL_RANK = 2.0
SMALL_K = 100
SMALL_CANDIDATES = 4000
SMALL_EVENTS = 32
SMALL_OPTIONS = 64
SMALL_IDS = 32
SMALL_TEXTS = 64
SMALL_TEXT_BYTES = 128 << 10


def rank_plan(message: rank_pb2.RankRequest) -> Plan:
    """A query waits for the encoder; an explained, long or explored list is long work."""
    k = message.k
    cost = 1.0 + len(message.candidates.ids) / SMALL_CANDIDATES
    if message.explain:
        cost += 1.5 + 0.03 * k
    if message.diversity:
        cost += 0.3 + 1e-4 * k * k
    if message.HasField("explore"):
        cost += 0.01 * k
        if message.explore.WhichOneof("policy") == "thompson":
            cost += 6 + 0.05 * k
    if message.query:
        return Plan(Lane.ENCODER, cost + encoding_cost(message.query))
    return SMALL if cost <= SMALL_RANK and k <= SMALL_K else Plan(Lane.BULK, cost)


def feedback_plan(message: feedback_pb2.FeedbackRequest) -> Plan:
    """Many events are committed in slices."""
    events = len(message.events)
    return SMALL if events <= SMALL_EVENTS else Plan(Lane.BULK, 5 + 0.2 * events)


def reserve_plan(message: reserve_pb2.ReserveRequest) -> Plan:
    """Many options are one long slice."""
    options = len(message.options)
    return SMALL if options <= SMALL_OPTIONS else Plan(Lane.BULK, 5 + 0.1 * options)


def put_plan(message: catalog_pb2.PutItemsRequest) -> Plan:
    """A put waits for the encoder in slices, with smaller puts in between."""
    return Plan(Lane.BULK, 5 + sum([encoding_cost(item.text) for item in message.items]))


def delete_plan(message: catalog_pb2.DeleteItemsRequest) -> Plan:
    """Many deletions are one long slice."""
    ids = len(message.ids)
    return SMALL if ids <= SMALL_IDS else Plan(Lane.BULK, 5 + 0.1 * ids)


def get_items_plan(message: catalog_pb2.GetItemsRequest) -> Plan:
    """Many items are one long slice."""
    ids = len(message.ids)
    return SMALL if ids <= SMALL_IDS else Plan(Lane.BULK, 1 + 0.05 * ids)


def export_plan(message: user_pb2.ExportUserRequest) -> Plan:
    """A page of a log is one long slice."""
    return Plan(Lane.BULK, 30.0)


def forget_plan(message: user_pb2.ForgetUserRequest) -> Plan:
    """A deletion reads the whole log of the user."""
    return Plan(Lane.BULK, 10.0)


def merge_plan(message: user_pb2.MergeUsersRequest) -> Plan:
    """A merge reads and writes the whole log of the user that goes."""
    return Plan(Lane.BULK, 10.0)


def embed_plan(message: embed_pb2.EmbedRequest) -> Plan:
    """Queries are encoded together; the texts of puts in slices, with queries in between."""
    cost = sum([encoding_cost(text) for text in message.texts])
    size = sum(map(len, message.texts))
    long = message.bulk or len(message.texts) > SMALL_TEXTS or size > SMALL_TEXT_BYTES
    return Plan(Lane.BULK if long else Lane.ENCODER, cost or 1.0)
