"""What Prometheus reads from a server that has worked."""

from __future__ import annotations

import re
import threading
import time
import urllib.request
from collections import defaultdict
from collections.abc import Mapping

import pytest

from penchant.launch import Server
from penchant.server.triton.metric_sender import ALIVE, SEND_EVERY_S
from penchant_sdk import Event, InvalidRequest, Item, Penchant
from tests.contracts.client_world import unique

pytestmark = pytest.mark.server

_LINE = re.compile(r"(?P<name>penchant_\w+)\{(?P<labels>[^}]*)\} (?P<value>\S+)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')
Series = tuple[str, frozenset[tuple[str, str]]]


def scrape(server: Server) -> defaultdict[Series, float]:
    """Every series of Penchant, without the label of the model's version."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # Past any proxy.
    with opener.open(server.metrics_url, timeout=60) as response:
        text = response.read().decode()
    series: defaultdict[Series, float] = defaultdict(float)
    for line in _LINE.finditer(text):
        series[line["name"], frozenset(_LABEL.findall(line["labels"]))] += float(line["value"])
    return series


def named(name: str, **labels: str) -> Series:
    return name, frozenset(labels.items())


def counters(series: Mapping[Series, float]) -> dict[Series, float]:
    ends = ("_total", "_bucket", "_sum", "_count")
    return {one: value for one, value in series.items() if one[0].endswith(ends)}


def settled(server: Server) -> defaultdict[Series, float]:
    """The series once nothing is on its way: each model sends once a second what has changed.

    A busy machine may keep one from it for longer, so each process must have sent twice from now
    on: the second time, it began after this moment. Gauges of times and ages never come to rest.
    """
    began_s, deadline = time.time(), time.monotonic() + 120
    latest, first, sent = scrape(server), dict[Series, float](), False
    while True:
        threading.Event().wait(1.5 * SEND_EVERY_S)
        previous, latest = latest, scrape(server)
        if sent and counters(latest) == counters(previous):
            return latest
        ends = {one: at_s for one, at_s in latest.items() if one[0] == ALIVE and at_s > began_s}
        for one, at_s in ends.items():
            first.setdefault(one, at_s)
        again = [one for one, at_s in ends.items() if at_s > first[one]]
        sent = len(again) == len(server.pids())
        assert time.monotonic() < deadline


def test_metrics_count_calls_errors_folds_commits_and_texts(
    server: Server, penchant: Penchant
) -> None:
    item, user = Item(unique("film"), unique("text")), unique("user")
    before = settled(server)
    penchant.put_items([item])
    events = [Event(user=user, item=item.id, signal="like") for _ in range(3)]
    penchant.feedback(events)
    penchant.feedback(events)  # Duplicates: no commit.
    for _ in range(2):
        penchant.rank(user, candidates=[item.id])
    with pytest.raises(InvalidRequest):
        penchant.rank(user, k=1001)
    rank, feedback, catalog = "penchant_rank", "penchant_feedback", "penchant_catalog"
    commits = {"model": feedback}
    expected = {
        named("penchant_requests_total", model=rank, method="rank", result="ok"): 2,
        named("penchant_requests_total", model=rank, method="rank", result="InvalidRequest"): 1,
        named("penchant_errors_total", model=rank, reason="InvalidRequest"): 1,
        named("penchant_requests_total", model=feedback, method="feedback", result="ok"): 2,
        named("penchant_requests_total", model=catalog, method="put_items", result="ok"): 1,
        named("penchant_fold_seconds_count", **commits): 1,
        named("penchant_commit_seconds_count", **commits): 1,
        named("penchant_commit_events_sum", **commits): 3,
        named("penchant_staleness_seconds_count", **commits): 1,
        named("penchant_staleness_seconds_bucket", **commits, le="+Inf"): 1,
        named("penchant_encoder_batch_texts_sum", model="penchant_encoder"): 1,
    }
    after = settled(server)
    assert {series: after[series] - before[series] for series in expected} == expected
    staleness = named("penchant_staleness_seconds_sum", **commits)
    commit = named("penchant_commit_seconds_sum", **commits)
    assert after[staleness] - before[staleness] >= after[commit] - before[commit] > 0


def test_a_histogram_never_falls_towards_larger_bounds(server: Server, penchant: Penchant) -> None:
    penchant.put_items([Item(unique("film"), unique("text"))])
    name = "penchant_encoder_batch_texts_bucket"
    buckets = [row for row in settled(server).items() if row[0][0] == name]
    counts = {float(dict(labels)["le"]): value for (_, labels), value in buckets}
    rising = [counts[bound] for bound in sorted(counts)]
    assert rising == sorted(rising)
    assert rising[-1] == counts[float("inf")] > 0
