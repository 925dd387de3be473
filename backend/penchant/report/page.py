"""Reports as a single HTML page with tables and charts, and numbers as JSON."""

from __future__ import annotations

import base64
import html
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.report.text_table import TextTable
from penchant.system.apart import check_not_read
from penchant.system.durable_file import is_pipe_or_device

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #22262b; max-width: 64rem; margin: 2rem auto;
       padding: 0 1rem }
table { border-collapse: collapse; margin-bottom: 1.5rem; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #e6e8eb }
th:first-child, td:first-child { text-align: left }
caption { text-align: left; padding: .5rem 0; font-weight: 600 }
img { max-width: 100% }
"""


def page(
    title: str, sentences: Sequence[str], tables: Sequence[TextTable], pictures: Mapping[str, bytes]
) -> str:
    """A self-contained HTML page: heading, sentences, charts, then tables.

    Args:
        title: heading of the page.
        sentences: what the page shows and what made it, a paragraph each.
        tables: tables in the order shown.
        pictures: PNG images by caption, embedded in the page.
    """
    parts = [f"<h1>{html.escape(title)}</h1>"]
    parts += [f"<p>{html.escape(sentence)}</p>" for sentence in sentences]
    for caption, png in pictures.items():
        data = base64.b64encode(png).decode()
        text = html.escape(caption)
        parts.append(f'<h2>{text}</h2><img alt="{text}" src="data:image/png;base64,{data}">')
    parts += [_table(table) for table in tables]
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{_STYLE}</style>'
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n{body}\n</body></html>\n'


def _table(table: TextTable) -> str:
    heading = "".join(f"<th>{html.escape(column)}</th>" for column in table.columns)
    rows = [
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in table.rows
    ]
    caption = f"<caption>{html.escape(table.title)}</caption>"
    return f"<table>{caption}<tr>{heading}</tr>\n" + "\n".join(rows) + "</table>"


def as_json(content: object) -> str:
    """Indented JSON, with null in the place of NaN and infinities.

    >>> as_json({"a": [math.nan, 1]}).split()
    ['{', '"a":', '[', 'null,', '1', ']', '}']
    """
    return json.dumps(_without_nan(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _without_nan(content: object) -> object:
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, Mapping):
        return {name: _without_nan(value) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_without_nan(value) for value in content]
    return content


def check_writable(path: Path, option: str, reads: Iterable[Path | None] = ()) -> None:
    """Checks that a file can be written, before minutes of work instead of after them.

    Args:
        path: file to write.
        option: option that named it, for the error message.
        reads: files that the command reads, which it may not replace; None: one not given.

    Raises:
        ConfigError: `path` is a directory or one of `reads`, or its parent is missing or not
            writable.
    """
    check_not_read(path, option, reads)
    if is_pipe_or_device(path):
        if path.is_block_device() or not os.access(path, os.W_OK):
            raise ConfigError(f"{option}: {path} can't be written; name another file")
        return
    directory = path.absolute().parent
    if path.is_dir() or not directory.is_dir() or not os.access(directory, os.W_OK):
        raise ConfigError(f"{option}: {path} can't be written; name a file in a writable directory")
