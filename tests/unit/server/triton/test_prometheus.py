"""Metrics: sums that Prometheus reads as counters and histograms."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penchant.encoder.bag_of_words import BagOfWords
from penchant.server.metric_table import FAMILIES, SECONDS, MetricKind, Series
from penchant.server.triton import metric_sender
from penchant.server.triton.metric_sender import ALIVE
from penchant.server.triton.prometheus import RANKINGS, MeteredEncoder, TritonMeter
from penchant.service.meter import Outcome, top_of
from tests.support.fake_pb_utils import FakePbUtils


@pytest.fixture(autouse=True)
def never_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the tests themselves send."""
    monkeypatch.setattr(metric_sender, "SEND_EVERY_S", 3600.0)


@pytest.fixture
def pb_utils() -> FakePbUtils:
    return FakePbUtils()


@pytest.fixture
def meter(pb_utils: FakePbUtils) -> Iterator[TritonMeter]:
    meter = TritonMeter(pb_utils, "penchant_rank")
    yield meter
    meter.close()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(st.floats(0, 2) | st.sampled_from(SECONDS)), max_size=3))
def test_a_histograms_buckets_are_cumulative(batches: list[list[float]]) -> None:
    pb_utils = FakePbUtils()
    meter = TritonMeter(pb_utils, "penchant_rank")
    for batch in batches:
        for seconds in batch:
            meter.fold(seconds)
        meter.send()
    meter.close()
    every = [seconds for batch in batches for seconds in batch]
    for bound in SECONDS:
        counted = pb_utils.value("penchant_fold_seconds_bucket", le=f"{bound:g}")
        assert counted == sum(seconds <= bound for seconds in every)
    assert pb_utils.value("penchant_fold_seconds_bucket", le="+Inf") == len(every)
    assert pb_utils.value("penchant_fold_seconds_count") == len(every)
    assert pb_utils.value("penchant_fold_seconds_sum") == pytest.approx(sum(every))


def test_calls_are_counted_by_method_and_result(meter: TritonMeter, pb_utils: FakePbUtils) -> None:
    meter.request("rank", "", 0.003)
    meter.request("rank", "", 0.003)
    meter.request("rank", "StateBehind", 0.001)
    meter.request("feedback", "StateBehind", 0.1)
    meter.send()
    assert pb_utils.value("penchant_requests_total", method="rank", result="ok") == 2
    assert pb_utils.value("penchant_requests_total", method="rank", result="StateBehind") == 1
    assert pb_utils.value("penchant_errors_total", reason="StateBehind") == 2
    assert pb_utils.value("penchant_requests_total", model="penchant_rank") == 4
    assert pb_utils.value("penchant_request_seconds_count", method="rank") == 3
    assert pb_utils.value("penchant_request_seconds_bucket", method="rank", le="0.002") == 1


def test_nothing_is_sent_twice_or_lost(meter: TritonMeter, pb_utils: FakePbUtils) -> None:
    meter.commit(0.01, 7)
    meter.send()
    meter.send()
    meter.commit(0.01, 3)
    meter.close()
    assert pb_utils.value("penchant_commit_events_sum") == 10
    assert pb_utils.value("penchant_commit_seconds_count") == 2


def test_every_metric_of_the_table_can_be_sent_and_no_other_is(pb_utils: FakePbUtils) -> None:
    feedback = TritonMeter(pb_utils, "penchant_feedback", "penchant_feedback_0_0")
    feedback.request("rank", "StateBehind", 0.001)
    feedback.batch(3)
    feedback.waited("bulk", 0.1)
    feedback.fold(0.1)
    feedback.commit(0.1, 1)
    feedback.staleness(0.1)
    feedback.encoded(3)
    feedback.refused("InvalidEvent", 2)
    feedback.clock_doubt("step")
    feedback.mended("vectors")
    feedback.degraded()
    feedback.reserved("capped", 1)
    feedback.refused_caller("scope", "acme")
    feedback.token_keys_read(False)
    feedback.ranked([top_of(np.arange(3))], 1)
    feedback.interest_drift(0.25)
    shown = Outcome("served", impression=True, reward=0.0, score=None)
    feedback.outcomes([shown, Outcome("served", impression=False, reward=-0.5, score=0.2)])
    gauges = [name for name, one in FAMILIES.items() if one.kind is MetricKind.GAUGE]
    feedback.watch(lambda: {(name, ()): 0.5 for name in gauges if name != ALIVE})
    feedback.send()
    stems = {
        name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
        for name in pb_utils.families
    }
    feedback.close()
    assert stems == set(FAMILIES)
    for name, family in pb_utils.families.items():
        stem = name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
        own = {"model", "tenant", *FAMILIES[stem].labels} | (
            {"le"} if name.endswith("_bucket") else set()
        )
        for labels in family.metrics:
            assert {label for label, _ in labels} <= own, name


def test_the_mean_reward_of_an_arm_follows_from_its_sums(
    meter: TritonMeter, pb_utils: FakePbUtils
) -> None:
    rewards = [1.0, -0.5, 0.25, 0.0]
    meter.outcomes([Outcome("candidate", False, reward, None) for reward in rewards])
    meter.outcomes([Outcome("candidate", True, 0.0, None)])
    meter.send()
    rewarded = "penchant_rewards_total"
    gain, loss = (pb_utils.value(rewarded, arm="candidate", sign=one) for one in ("gain", "loss"))
    assert gain - loss == pytest.approx(sum(rewards))
    assert pb_utils.value("penchant_outcomes_total", arm="candidate") == len(rewards)
    assert pb_utils.value("penchant_shown_total", arm="candidate") == 1


def test_coverage_counts_the_distinct_items_at_the_top_of_the_latest_rankings(
    meter: TritonMeter, pb_utils: FakePbUtils
) -> None:
    for _ in range(2 * RANKINGS):
        meter.ranked([top_of(np.arange(5, 25))], 0)
    meter.ranked([top_of(np.arange(30))], 1)
    meter.send()
    assert pb_utils.value("penchant_recent_top_items") == len({*range(5, 15), *range(10)})
    assert pb_utils.value("penchant_rankings_total", user="cold") == 1
    assert pb_utils.value("penchant_rankings_total", user="known") == 2 * RANKINGS


def test_a_process_says_when_it_last_lived(meter: TritonMeter, pb_utils: FakePbUtils) -> None:
    began = time.time()
    meter.send()
    assert began <= pb_utils.value(ALIVE) <= time.time()


def test_a_series_that_is_read_no_longer_is_shown_no_longer(
    meter: TritonMeter, pb_utils: FakePbUtils
) -> None:
    """A release that was served is not shown beside the one that is."""
    served = ["one"]
    info = "penchant_release_info"

    def read() -> dict[Series, float]:
        return {(info, (("release", served[0]), ("encoder", "e"))): 1.0}

    meter.watch(read)
    for release in ("one", "two", "one"):
        served[0] = release
        meter.send()
        gc.collect()
        shown = [one for one in ("one", "two") if pb_utils.value(info, release=one)]
        assert shown == [release]


def test_the_size_of_each_run_of_the_encoder_is_metered(
    meter: TritonMeter, pb_utils: FakePbUtils
) -> None:
    inner = BagOfWords()
    encoder = MeteredEncoder(inner, meter)
    assert (encoder.version, encoder.dimensions) == (inner.version, inner.dimensions)
    assert encoder.encode(["a", "b"]).shape == (2, 64)
    meter.send()
    assert pb_utils.value("penchant_encoder_batch_texts_sum") == 2


def test_a_gauge_that_cannot_be_read_costs_no_counter(
    meter: TritonMeter, pb_utils: FakePbUtils, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> dict[Series, float]:
        raise OSError("gone")

    meter.watch(broken)
    meter.watch(lambda: {("penchant_waiting_calls", (("lane", "bulk"),)): 3.0})
    meter.encoded(1)
    meter.send()
    assert pb_utils.value("penchant_encoder_batch_texts_sum") == 1
    assert pb_utils.value("penchant_waiting_calls", lane="bulk") == 3
    assert "gauges could not be read" in caplog.text


def test_the_first_observation_shows_all_buckets(meter: TritonMeter, pb_utils: FakePbUtils) -> None:
    """Else nothing would be known of a server on which every call is slow."""
    meter.request("rank", "", 3.0)
    meter.send()
    for bound in SECONDS:
        series = pb_utils.families["penchant_request_seconds_bucket"].metrics
        found = [labels for labels in series if ("le", f"{bound:g}") in labels]
        assert len(found) == 1
