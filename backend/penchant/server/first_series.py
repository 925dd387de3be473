"""Counters that a process shows from its start, at 0.

Prometheus sees the growth of a counter, not its birth: without these, the first fault of a kind
would raise no alert.
"""

from __future__ import annotations

from penchant.server.metric_table import Series
from penchant_proto.methods import METHODS, methods_of

FAULTS = (
    "EncoderUnavailable",
    "InternalError",
    "Overloaded",
    "StateCorrupt",
    "StateTooNew",
    "StoreUnavailable",
)
"""Reasons of errors that are the server's fault, as alerts and objectives count them."""

_CAUSES = ("step", "store_ahead", "redated", "unseen")
_REFUSALS = (
    *("missing", "duplicate", "malformed", "oversized", "algorithm", "key", "signature"),
    *("expired", "not_yet_valid", "issuer", "audience", "scope", "tenant"),
    *("tenant_limit", "caller_rate", "tenant_rate"),
)
_DAMAGES = ("head", "neighbours", "offsets", "rollout", "texts", "vectors", "version")


def first_series(model: str) -> list[Series]:
    """The counters that a process of a Triton model shows before anything happened."""
    methods = sorted(methods_of(model))
    found: list[Series] = [
        ("penchant_requests_total", (("method", method), ("result", result)))
        for method in methods
        for result in ("ok", *FAULTS)
    ]
    found += [("penchant_errors_total", (("reason", reason),)) for reason in FAULTS]
    found += [("penchant_clock_doubts_total", (("cause", cause),)) for cause in _CAUSES]
    found += [("penchant_refused_calls_total", (("cause", cause),)) for cause in _REFUSALS]
    found += [("penchant_token_keys_read_total", (("result", one),)) for one in ("ok", "failed")]
    if model != METHODS["embed"].model:
        found += [("penchant_catalog_mends_total", (("kind", kind),)) for kind in _DAMAGES]
    if model == METHODS["rank"].model:
        found += [("penchant_rankings_total", (("user", user),)) for user in ("cold", "known")]
        found.append(("penchant_degraded_rankings_total", ()))
    if model == METHODS["feedback"].model:
        found += _of_feedback()
    return found


def _of_feedback() -> list[Series]:
    found: list[Series] = [
        ("penchant_refused_events_total", (("reason", reason),))
        for reason in ("EventIdReused", "InvalidEvent", "StateCorrupt", "UnknownItem")
    ]
    found += [
        ("penchant_reservations_total", (("outcome", outcome),))
        for outcome in ("reserved", "capped", "budget", "pace")
    ]
    for arm in ("served", "candidate"):
        found += [(f"penchant_{name}_total", (("arm", arm),)) for name in ("shown", "outcomes")]
        signs = ("gain", "loss")
        found += [("penchant_rewards_total", (("arm", arm), ("sign", sign))) for sign in signs]
    return found
