"""Reads TOML files that people write."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from penchant.domain.errors import ConfigError
from penchant.system.nesting import check_nesting


def read_toml(path: Path, option: str) -> dict[str, Any]:
    """Reads a TOML file.

    Raises:
        ConfigError: the file can't be read, is not TOML, or is nested more than 100 deep; the
            message begins with `option`.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # Windows' editors mark it.
        check_nesting(table)
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{option}: {path} {_problem(error)}") from None
    return table


def _problem(error: BaseException) -> str:
    if isinstance(error, OSError):
        return f"can't be read: {error.strerror}"
    if isinstance(error, UnicodeDecodeError):
        return "is not text in UTF-8"
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    return f"is not TOML: {error}"  # Of which a name with a NUL byte is one.
