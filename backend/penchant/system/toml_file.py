"""Reads TOML files that people write."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from penchant.domain.errors import ConfigError


def read_toml(path: Path, option: str) -> dict[str, Any]:
    """Reads a TOML file.

    Raises:
        ConfigError: the file can't be read or is not TOML; the message begins with `option`.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # Windows' editors mark it.
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{option}: {path} {_problem(error)}") from None


def _problem(error: BaseException) -> str:
    if isinstance(error, OSError):
        return f"can't be read: {error.strerror}"
    if isinstance(error, UnicodeDecodeError):
        return "is not text in UTF-8"
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    return f"is not TOML: {error}"  # Of which a name with a NUL byte is one.
