"""`--log-format json`: whatever a command says is one JSON object a line."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from penchant.cli.main import COMMANDS, run
from penchant.system.log_format import VARIABLE, JsonFormatter


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_command_says_what_it_says_in_records(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = tmp_path / "penchant.toml"
    world.write_text("")
    assert run(["config", "show", "--config", str(world), "--log-format", "json"]) == 0
    said = records(capsys.readouterr().out)
    assert said
    for record in said:
        assert set(record) == {"time", "level", "message"}
        assert "\x1b" not in record["message"]


def test_a_command_that_fails_says_why_in_one_record(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--log-format=json", "releases", "--store", "nonsense:"]) == 1
    (record,) = records(capsys.readouterr().err)
    assert (record["level"], record["reason"]) == ("ERROR", "ConfigError")
    assert "nonsense" in record["message"]


def test_another_format_is_refused_with_those_that_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["releases", "--log-format", "xml"]) == 1
    assert "--log-format: got 'xml', expected text or json" in capsys.readouterr().err


def test_the_format_holds_for_one_command(capsys: pytest.CaptureFixture[str]) -> None:
    run(["--log-format=json", "releases", "--store", "nonsense:"])
    capsys.readouterr()
    assert VARIABLE not in os.environ
    assert run(["releases", "--store", "nonsense:"]) == 1
    assert capsys.readouterr().err.startswith("penchant: ")


def test_what_follows_two_dashes_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["releases", "--", "--log-format=json"]) == 2
    assert not capsys.readouterr().out.startswith("{")


def test_a_record_of_logging_is_one_line_whatever_its_message_holds() -> None:
    logger = logging.getLogger("penchant.test_log_format")
    record = logger.makeRecord(
        logger.name,
        logging.ERROR,
        "f",
        1,
        "one\ntwo %s",
        ("\u2028three",),
        None,
        extra={"verb": "rank", "reason": "InternalError", "request_id": "r1", "trace_id": ""},
    )
    line = JsonFormatter().format(record)
    assert len(line.splitlines()) == 1
    found = json.loads(line)
    assert found["message"] == "one\ntwo \u2028three"
    assert (found["verb"], found["request_id"]) == ("rank", "r1")
    assert "trace_id" not in found


def test_every_command_takes_it() -> None:
    """It is taken out before a command sees its arguments."""
    assert not any("log-format" in name for name in COMMANDS)
