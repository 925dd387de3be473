"""The guide's table of columns is the schema of shipped files."""

from __future__ import annotations

import re

import pyarrow as pa

from penchant.logs.shipped.shipped_schema import SCHEMA
from tests.support.handwritten import ROOT

_WORDS = {
    "string": pa.string(),
    "float64": pa.float64(),
    "int64": pa.int64(),
    "uint64": pa.uint64(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", "UTC"),
    "map of string to string": pa.map_(pa.string(), pa.string()),
}


def test_the_guide_names_each_column_with_its_type_and_says_which_may_be_null() -> None:
    page = (ROOT / "docs" / "guides" / "ship.md").read_text(encoding="utf-8")
    table = page.partition("| column | type | holds |")[2].partition("\n\n")[0]
    found: dict[str, tuple[pa.DataType, bool]] = {}
    for line in table.strip().splitlines()[1:]:
        names, said, _ = (cell.strip() for cell in line.strip("|").split("|"))
        types, _, _ = re.sub(r"timestamp, microseconds, UTC", "timestamp", said).partition("null")
        words = [word.strip() for word in re.split(r"[,;]", types) if word.strip() in _WORDS]
        columns = re.findall(r"`(\w+)`", names)
        for place, column in enumerate(columns):
            word = words[place] if len(words) > 1 else words[0]
            found[column] = _WORDS[word], "null" in said
    assert found == {field.name: (field.type, field.nullable) for field in SCHEMA}
