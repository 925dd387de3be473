"""Errors in the log: by request id, without their texts, and never a flood."""

from __future__ import annotations

import logging
import time

import pytest

from penchant.domain.errors import InvalidEvent, StoreUnavailable
from penchant.server.triton.error_log import MOST_A_SECOND, ErrorLog


def test_a_line_has_verb_reason_and_ids_and_no_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    ErrorLog().say(InvalidEvent("user: got 'ann'"), "feedback", "r1", "t1")
    (record,) = caplog.records
    assert record.levelno == logging.INFO
    known = {name: record.__dict__[name] for name in ("verb", "reason", "request_id", "trace_id")}
    assert known == {
        "verb": "feedback",
        "reason": "InvalidEvent",
        "request_id": "r1",
        "trace_id": "t1",
    }
    assert "ann" not in caplog.text


def test_a_fault_of_the_server_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    ErrorLog().say(StoreUnavailable("full"), "feedback", "", "")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "without an id" in record.getMessage()


def test_a_flood_of_errors_is_a_few_lines_a_second_and_their_number(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [5.0]
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    log = ErrorLog()
    for _ in range(1_000):
        log.say(StoreUnavailable("full"), "feedback", "r", "")
    assert len(caplog.records) == MOST_A_SECOND
    now_s[0] = 6.0
    log.say(StoreUnavailable("full"), "feedback", "r", "")
    assert f"{1_000 - MOST_A_SECOND} more were left out before" in caplog.records[-1].getMessage()
