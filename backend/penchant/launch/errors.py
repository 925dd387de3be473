"""What can go wrong before a server answers."""

from __future__ import annotations

from pathlib import Path


class LaunchError(Exception):
    """Triton can't be found, laid out or started; the text says what is missing and what to do.

    >>> str(LaunchError("port 8001 is taken"))
    'port 8001 is taken'
    """

    def __init__(self, message: str, log: Path | None = None) -> None:
        """Keeps the message and, where a server was started, the path of its log."""
        super().__init__(message)
        self.log = log
