"""The calls of a health check: one cheap call per model, none of which changes anything."""

from __future__ import annotations

from typing import Any

from penchant_proto.v1 import catalog_pb2, embed_pb2, feedback_pb2, rank_pb2, user_pb2
from penchant_proto.v1.service_pb2 import Call

PROBE_ID = "__probe__"
"""The user and the item that the calls name."""

_REQUESTS: dict[str, Any] = {
    "rank": rank_pb2.RankRequest(user=PROBE_ID, k=1),
    "feedback": feedback_pb2.FeedbackRequest(),
    "get_items": catalog_pb2.GetItemsRequest(ids=[PROBE_ID]),
    "get_user": user_pb2.GetUserRequest(user=PROBE_ID),
    "embed": embed_pb2.EmbedRequest(texts=["probe"]),
}


def health_calls() -> dict[str, Call]:
    """The calls by the field of their method, marked so that they count in no metric."""
    return {
        field: Call(**{field: message}, health_check=True) for field, message in _REQUESTS.items()
    }


def is_health_call(field: str, message: object) -> bool:
    """Whether a request message is that of a health check, and so touches nobody's data."""
    return field in _REQUESTS and _REQUESTS[field] == message
