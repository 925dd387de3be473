"""Settings as the text of a TOML file, which `penchant config` prints and writes."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping

from penchant.config import Config, value_of
from penchant.domain.settings import FoldSettings
from penchant.domain.signals import SIGNAL_TABLES, as_text
from penchant.system.attribute_docs import attribute_docs

WIDTH = 96
"""Columns of a comment."""


def toml_value(value: object) -> str:
    """A value as TOML writes it.

    >>> toml_value(6.0), toml_value("lmdb:/a"), toml_value(True), toml_value(["a", 1])
    ('6.0', '"lmdb:/a"', 'true', '["a", 1]')
    """
    if isinstance(value, (bool, str)):
        return json.dumps(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {toml_value(one)}" for key, one in value.items()) + " }"
    return repr(value)


def setting_in_toml(config: Config, name: str) -> str:
    """The value of a setting as TOML writes it; `""` for a place inside the store.

    >>> from pathlib import Path
    >>> setting_in_toml(Config("memory:", Path("e")), "signals")
    '"default"'
    """
    if name == "signals":
        text = as_text(config.signals)
        named = (one for one, table in SIGNAL_TABLES.items() if as_text(table) == text)
        found = next(named, None)
        return json.dumps(found) if found else f"'{text}'"
    value = value_of(config, name)
    return toml_value(value if isinstance(value, (bool, int, float)) else str(value or ""))


def meanings() -> dict[str, str]:
    """What each setting does, by name."""
    return {**attribute_docs(Config), **attribute_docs(FoldSettings)}


def comment(text: str) -> str:
    """A text as the lines of a comment.

    >>> comment("fold and score")
    '# fold and score'
    """
    return textwrap.fill(text, WIDTH, initial_indent="# ", subsequent_indent="# ")
