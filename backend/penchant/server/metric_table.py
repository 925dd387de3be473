"""Every metric that Penchant serves: name, type, labels, meaning. Nothing else defines one.

Names follow Prometheus's conventions: base units, `_total` for counters. No label holds anything
about a user or an item, and each label has few values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

Series = tuple[str, tuple[tuple[str, str], ...]]
"""The name of a metric, and the labels of one of its series beside those of the process."""

SECONDS = (
    *(0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05),
    *(0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 30.0),
)
SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 1024.0)
COSINES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Upper bounds of histograms' buckets, by what they measure."""


class MetricKind(Enum):
    """What a metric is to Prometheus."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class MetricFamily:
    """One metric, with all its series."""

    kind: MetricKind
    meaning: str
    labels: tuple[str, ...] = ()
    """Those beside the labels that all series of a process have."""
    bounds: tuple[float, ...] = ()
    """Of a histogram's buckets."""


def _counter(meaning: str, *labels: str) -> MetricFamily:
    return MetricFamily(MetricKind.COUNTER, meaning, labels)


def _gauge(meaning: str, *labels: str) -> MetricFamily:
    return MetricFamily(MetricKind.GAUGE, meaning, labels)


def _histogram(meaning: str, bounds: tuple[float, ...], *labels: str) -> MetricFamily:
    return MetricFamily(MetricKind.HISTOGRAM, meaning, labels, bounds)


CALLS = {
    "penchant_requests_total": _counter(
        "Calls answered, by method and result (ok or the error's reason)", "method", "result"
    ),
    "penchant_request_seconds": _histogram(
        "Seconds from a call's arrival to its answer, by method", SECONDS, "method"
    ),
    "penchant_errors_total": _counter("Calls answered with an error, by reason", "reason"),
    "penchant_refused_calls_total": _counter(
        "Calls refused for their caller, by cause (missing, duplicate, malformed, oversized, "
        "algorithm, key, signature, expired, not_yet_valid, issuer, audience, scope, tenant, "
        "tenant_limit, caller_rate, tenant_rate) and by tenant, once one is verified",
        "cause",
    ),
    "penchant_token_keys_read_total": _counter(
        "Readings of the changed file of token keys, by result (ok, failed)", "result"
    ),
    "penchant_batch_calls": _histogram("Calls answered together", SIZES),
    "penchant_wait_seconds": _histogram(
        "Seconds that a call waited in a lane of its model's process before work on it began, by "
        "lane; calls that Triton hands over while the process is free wait in none",
        SECONDS,
        "lane",
    ),
    "penchant_waiting_calls": _gauge(
        "Calls that wait in a model's process or are worked on, by lane", "lane", "process"
    ),
    "penchant_alive_timestamp_seconds": _gauge(
        "When a model's process last sent its metrics, which it does every second", "process"
    ),
    "penchant_native": _gauge(
        "Whether the compiled module answers in a model's process, 1, or NumPy does, 0; of rank "
        "and feedback",
        "process",
    ),
    "penchant_restarts": _gauge(
        "Times that `penchant serve` has started this server again since its own start"
    ),
    "penchant_last_restart_timestamp_seconds": _gauge(
        "Time of the latest of these restarts, by reason; missing before the first", "reason"
    ),
}
"""Of all models: how calls go, and which processes live."""

LEARNING = {
    "penchant_staleness_seconds": _histogram(
        "Seconds from an event's arrival until rankings see it", SECONDS
    ),
    "penchant_commit_seconds": _histogram(
        "Seconds per commit of the store, including the sync to disk", SECONDS
    ),
    "penchant_commit_events": _histogram("Events accepted per commit", SIZES),
    "penchant_fold_seconds": _histogram("Seconds to fold the window of one user", SECONDS),
    "penchant_encoder_batch_texts": _histogram("Texts per run of the encoder", SIZES),
    "penchant_refused_events_total": _counter(
        "Events refused one by one in calls that succeed, by reason", "reason"
    ),
    "penchant_reservations_total": _counter(
        "Options of reserve calls, by outcome: reserved, or refused by a cap (capped), a spent "
        "budget (budget) or its pace (pace)",
        "outcome",
    ),
    "penchant_clock_doubts_total": _counter(
        "Doubts about the machine's clock, by cause: a step (step), times in the store ahead of it "
        "(store_ahead), such times moved to now (redated), a start long after all that is stored "
        "(unseen)",
        "cause",
    ),
    "penchant_catalog_mends_total": _counter(
        "Damaged parts of the catalog that were written again, by kind "
        "(vectors, texts, offsets, version, neighbours, head, rollout)",
        "kind",
    ),
}
"""Of what happens to events, texts and reservations."""

STORE = {
    "penchant_items": _gauge("Items that can be ranked"),
    "penchant_users": _gauge(
        "Users with a record as of the last full count, which takes 1 s per 2,000"
    ),
    "penchant_store_fill": _gauge("Used share of the store's size limit, 0 to 1; full at 0.98"),
    "penchant_store_away": _gauge(
        "Whether a store in a network did not answer the last call: 0 or 1; missing with LMDB"
    ),
    "penchant_store_durability_info": _gauge(
        "1 for what a commit to a store in Valkey survives: whether it is logged, when the log is "
        "synced, replicas that each primary has, and replicas that a commit waits for; missing "
        "with LMDB, whose commits are synced",
        "logged",
        "synced",
        "replicas",
        "waits_for",
    ),
    "penchant_disk_free_ratio": _gauge(
        "Free share of the store's file system, 0 to 1; missing without one"
    ),
    "penchant_disk_free_bytes": _gauge("Free bytes of the store's file system; missing as above"),
    "penchant_catalog_version": _gauge("Version of the item vectors that rankings use"),
    "penchant_release_info": _gauge(
        "1 for the release and the encoder that are served; the release is empty before the first",
        "release",
        "encoder",
    ),
    "penchant_release_age_seconds": _gauge(
        "Seconds since the served release was published; missing without one"
    ),
    "penchant_refresh_age_seconds": _gauge(
        "Seconds since the last refresh published; missing before the first one"
    ),
    "penchant_refresh_duration_seconds": _gauge(
        "Seconds that the last refresh took; missing as above"
    ),
    "penchant_refresh_new_events": _gauge("Events accepted since the last refresh read the log"),
    "penchant_refresh_failures": _gauge(
        "Attempts of the clock to refresh that failed since it last did"
    ),
    "penchant_ship_age_seconds": _gauge(
        "Seconds since all of the log was shipped; missing if it is not shipped anywhere"
    ),
    "penchant_newest_event_age_seconds": _gauge(
        "Seconds since the newest event in the store happened; missing without events"
    ),
    "penchant_rollout": _gauge("Whether a release is on trial beside the served one: 0 or 1"),
}
"""Gauges of the store, from the model `penchant_users`."""

QUALITY = {
    "penchant_rankings_total": _counter(
        "Rankings, by user: new ones without an event (cold), and others (known)", "user"
    ),
    "penchant_degraded_rankings_total": _counter(
        "Rankings from what the process read last, since the store did not answer; counted among "
        "the others too"
    ),
    "penchant_recent_top_items": _gauge(
        "Distinct items among the ten best of a process's last 1,000 rankings", "process"
    ),
    "penchant_shown_total": _counter(
        "Impressions accepted, by arm: served, or the candidate of a canary", "arm"
    ),
    "penchant_outcomes_total": _counter(
        "Accepted events other than impressions, by arm as above", "arm"
    ),
    "penchant_rewards_total": _counter(
        "Sum of the sizes of their rewards, by arm and by sign (gain, loss)", "arm", "sign"
    ),
    "penchant_calibration_error": _gauge(
        "Expected calibration error of predicted against received rewards over the last 2,000 "
        "outcomes that name the score at which their item was shown; a prediction is a running "
        "line from score to reward, fitted to the outcomes before; missing below 200"
    ),
    "penchant_item_vector_drift": _gauge(
        "Mean of 1 - cosine between an item's vectors in the last two catalog versions, over up to "
        "1,000 items; missing until the version changes while the server runs"
    ),
    "penchant_interest_drift": _histogram(
        "1 - cosine between a user's slow interest before and after a commit with events of the "
        "user, for one user a commit",
        COSINES,
    ),
}
"""Cheap estimates of the quality that users see."""

FAMILIES: Mapping[str, MetricFamily] = {**CALLS, **LEARNING, **STORE, **QUALITY}
"""All metrics by name."""

GROUPS: Mapping[str, Mapping[str, MetricFamily]] = {
    "Calls and processes": CALLS,
    "Events and reservations": LEARNING,
    "The store and its clocks": STORE,
    "Quality": QUALITY,
}
"""The same by subject, in the order of the reference."""
