"""Outside of a terminal a long command says where it is, at least every 30 s."""

from __future__ import annotations

import re
import threading

import pytest

from penchant.cli import progress_lines
from penchant.cli.progress_bars import step_bars
from penchant.cli.step_status import step_status
from penchant.report.terminal import Terminal, terminal


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines said, one every few milliseconds; whoever waits for one sets its event."""
    lines: list[str] = []

    def say(self: Terminal, text: str, style: str = "") -> None:
        lines.append(text)
        ARRIVED.set()

    monkeypatch.setattr(progress_lines, "EVERY_S", 0.01)
    monkeypatch.setattr(Terminal, "say", say)
    return lines


ARRIVED = threading.Event()


def wait_for_a_line() -> None:
    ARRIVED.clear()
    assert ARRIVED.wait(60)


def test_the_time_between_two_lines_is_less_than_30_s() -> None:
    assert progress_lines.EVERY_S < 30


def test_a_step_that_reports_nothing_is_said_again_and_again(said: list[str]) -> None:
    with step_status(terminal(), "Opening the store") as progress:
        wait_for_a_line()
        progress("Fitting item vectors", 0.4)
        wait_for_a_line()
        wait_for_a_line()
    assert re.match(r"Opening the store \(\d+ s so far\)", said[0])
    assert said[-1].startswith("Fitting item vectors, 40% (")


def test_bars_become_lines_where_nobody_sees_them(said: list[str]) -> None:
    with step_bars(terminal()) as progress:
        progress("Penchant", 0.25)
        wait_for_a_line()  # It may have been made before.
        wait_for_a_line()
    assert said[-1].startswith("Penchant, 25% (")


def test_a_terminal_gets_no_lines_beside_its_bar(
    said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Terminal, "is_terminal", True)
    with progress_lines.progress_lines(terminal(), "Starting"):
        assert "progress" not in [thread.name for thread in threading.enumerate()]
    assert said == []
