"""The format of logs: text for people, or one JSON object a line for programs.

Chosen once by `--log-format`, and handed to the processes that a command starts by the environment.
A JSON record has `time`, `level` and `message`, and what its line knows of `request_id`,
`trace_id`, `verb` and `reason`; never a user's id or text.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import UTC, datetime

VARIABLE = "PENCHANT_LOG_FORMAT"
FORMATS = ("text", "json")
FIELDS = ("request_id", "trace_id", "verb", "reason")
"""What a record may know beside its message."""


def logs_are_json() -> bool:
    """Whether this process writes its logs as JSON."""
    return os.environ.get(VARIABLE) == "json"


def json_line(level: str, message: str, at_s: float | None = None, **fields: str) -> str:
    """One record as one line.

    Args:
        level: `INFO`, `WARNING` or `ERROR`.
        message: a text of one line or more.
        at_s: epoch seconds; None: now.
        fields: some of FIELDS; empty ones are left out.

    >>> json_line("INFO", "up", at_s=0.25, verb="rank", reason="")
    '{"time": "1970-01-01T00:00:00.250+00:00", "level": "INFO", "message": "up", "verb": "rank"}'
    """
    at = datetime.now(UTC) if at_s is None else datetime.fromtimestamp(at_s, UTC)
    known = {name: value for name, value in fields.items() if value}
    record = {"time": at.isoformat(timespec="milliseconds"), "level": level, "message": message}
    return json.dumps(record | known)


class JsonFormatter(logging.Formatter):
    """Formats log records as JSON objects, exceptions included."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        message = record.getMessage()
        if record.exc_info:
            message = f"{message}\n{self.formatException(record.exc_info)}"
        fields = {name: str(record.__dict__.get(name, "")) for name in FIELDS}
        return json_line(record.levelname, message, record.created, **fields)


def log_as_json() -> None:
    """Makes this process's logging write JSON to standard error; a second time changes nothing."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(handlers=[handler])
