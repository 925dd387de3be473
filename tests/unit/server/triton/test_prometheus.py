"""Metrics: sums that Prometheus reads as counters and histograms."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penchant.encoder.bag_of_words import BagOfWords
from penchant.server.triton import prometheus
from penchant.server.triton.prometheus import SECONDS, MeteredEncoder, TritonMeter
from tests.support.fake_pb_utils import FakePbUtils


@pytest.fixture(autouse=True)
def never_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the tests themselves send."""
    monkeypatch.setattr(prometheus, "SEND_EVERY_S", 3600.0)


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


def test_every_series_has_a_description(meter: TritonMeter, pb_utils: FakePbUtils) -> None:
    meter.request("rank", "StateBehind", 0.001)
    meter.fold(0.1)
    meter.commit(0.1, 1)
    meter.staleness(0.1)
    meter.encoded(3)
    meter.refused("InvalidEvent", 2)
    meter.clock_doubt("step")
    meter.mended("vectors")
    meter.refused_caller("scope", "acme")
    meter.token_keys_read(False)
    meter.watch(lambda: dict.fromkeys(prometheus.MODEL_GAUGES, 0.5))
    meter.send()
    stems = {
        name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
        for name in pb_utils.families
    }
    assert stems == {*prometheus.HELP, *prometheus.MODEL_GAUGES}


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
    def broken() -> dict[str, float]:
        raise OSError("gone")

    meter.watch(broken)
    meter.watch(lambda: {"bulk": 3.0}, "penchant_waiting_calls:lane")
    meter.encoded(1)
    meter.send()
    assert pb_utils.value("penchant_encoder_batch_texts_sum") == 1
    assert pb_utils.value("penchant_waiting_calls", lane="bulk") == 3
    assert "gauges could not be read" in caplog.text
