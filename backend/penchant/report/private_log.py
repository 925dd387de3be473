"""Keeps what callers sent out of the log: texts in quotes become short digests.

Messages quote ids and texts of callers (`got 'x'`), which is right for the caller, and wrong for a
file that others read. The digest still tells whether two lines speak of the same thing.

>>> redacted("item: got 'ann@example.org', which the catalog does not hold")
"item: got '#438c4c..', which the catalog does not hold"
"""

from __future__ import annotations

import hashlib
import logging
import re
import traceback

_QUOTED = re.compile(r"""(?<!\w)('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")(?!\w)""")


def redacted(text: str) -> str:
    """The text with digests for what stands in quotes; digests stay as they are."""
    return _QUOTED.sub(_digest, text)


def _digest(match: re.Match[str]) -> str:
    quoted = match[0]
    if quoted in ("''", '""') or quoted.startswith("'#"):
        return quoted
    return f"'#{hashlib.sha256(quoted[1:-1].encode()).hexdigest()[:6]}..'"


def keep_logs_private() -> None:
    """Redacts what this process's logging writes to its streams, in whichever format."""
    for handler in logging.getLogger().handlers:
        # A subclass is somebody else's, such as a test's.
        if type(handler) is logging.StreamHandler and not handler.filters:
            handler.addFilter(PrivateLog())


class PrivateLog(logging.Filter):
    """Redacts the messages of a handler, and the last line of tracebacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrites the record; none is dropped."""
        message = redacted(record.getMessage())
        if record.exc_info and record.exc_info[0] is not None:
            kind, error, trace = record.exc_info
            places = "".join(traceback.format_tb(trace))
            message += f"\nTraceback:\n{places}{kind.__name__}: {redacted_error(error)}"
            record.exc_info = record.exc_text = None
        record.msg, record.args = message, ()
        return True


def redacted_error(error: BaseException | None) -> str:
    """An error's text without what it quotes; all of it where the error quotes by its nature."""
    if isinstance(error, KeyError | UnicodeError):
        return f"'#{hashlib.sha256(str(error).encode()).hexdigest()[:6]}..'"
    return redacted(str(error))
