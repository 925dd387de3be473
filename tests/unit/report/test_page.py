"""HTML pages hold any text as text, and JSON holds any numbers."""

from __future__ import annotations

import base64
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.errors import ConfigError
from penchant.report.page import as_json, check_writable, page
from penchant.report.text_table import TextTable

TAGS = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "br", "img",
    "table", "caption", "tr", "th", "td",
}  # fmt: skip
HOSTILE = st.text("<>&\"'/ abscript", max_size=20)


class Reader(HTMLParser):
    """Collects the tags, the texts of cells and the images of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.cells: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self._in_cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._in_cell = tag in ("th", "td")
        if self._in_cell:
            self.cells.append("")
        if tag == "img":
            self.images.append(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.cells[-1] += data


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
def test_text_of_any_kind_stays_text(title: str, fact: str, column: str, cell: str) -> None:
    table = TextTable(title, [column, "n"], [[cell, "1"]])
    read = Reader(page(title, [fact], [table], {fact: b"\x89PNG"}))
    assert read.tags <= TAGS
    assert read.cells == [column, "n", cell, "1"]
    assert [image["alt"] for image in read.images] == [fact]


@given(st.binary(max_size=50))
def test_a_picture_is_embedded_byte_by_byte(png: bytes) -> None:
    html = page("A page", [], [], {"curve": png})
    (data,) = re.findall(r'src="data:image/png;base64,([^"]*)"', html)
    assert base64.b64decode(data) == png


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=10,
)


def without_nan(content: object) -> object:
    if isinstance(content, float) and not math.isfinite(content):
        return None
    if isinstance(content, list):
        return [without_nan(value) for value in content]
    if isinstance(content, dict):
        return {name: without_nan(value) for name, value in content.items()}
    return content


@given(JSON)
def test_json_can_be_read_back_with_null_where_a_number_is_not_finite(content: object) -> None:
    text = as_json(content)
    assert text.endswith("\n")
    assert json.loads(text) == without_nan(content)


def test_a_path_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    check_writable(tmp_path / "new.json", "--json")
    for wrong in (tmp_path, tmp_path / "missing" / "new.json"):
        with pytest.raises(ConfigError, match=r"--json: .* can't be written"):
            check_writable(wrong, "--json")
