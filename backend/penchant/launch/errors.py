"""The errors of starting a server."""

from __future__ import annotations

from pathlib import Path


class LaunchError(Exception):
    """Triton cannot be found, laid out or started.

    Cause: no Triton on this machine, an occupied port, a missing encoder, or a model that failed
    to load. The message says which.
    Remedy: do what the message says; the server's log, which it names, has the details.

    >>> str(LaunchError("port 8001 is taken"))
    'port 8001 is taken'
    """

    def __init__(self, message: str, log: Path | None = None) -> None:
        """Keeps the message and, if a server was started, the path of its log."""
        super().__init__(message)
        self.log = log


class TritonAborted(LaunchError):
    """Triton crashed while it started, or lost a race for a free port.

    Cause: a fault of Triton itself: now and then one aborts under load (`boost::lock_error`).
    Remedy: start it again; `penchant serve` does so by itself, up to five times in a row.
    """
