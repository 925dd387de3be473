"""Debian's games as a file that comes with Penchant, for machines without package lists.

`debian-games.parquet`, beside this module, has the columns of `penchant import items`: id, text,
name and `games.game` (proto3 JSON of `proto/penchant/v1/games.proto`). `penchant import games
--output` made it from the package lists of Debian 12, main archive only. Summaries, descriptions
and tags are the packages' own metadata (https://packages.debian.org), each under the terms of its
package; all terms meet the Debian Free Software Guidelines.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from penchant.domain.errors import ConfigError
from penchant.domain.types import Item
from penchant.logs import read_table
from penchant.logs.columns import ItemColumns
from penchant.logs.open_table import open_table
from penchant.logs.refusals import LeftOut

SNAPSHOT = Path(__file__).with_name("debian-games.parquet")
"""File of 530 games."""

_LEVEL = 19


def write_items(items: Sequence[Item], path: Path) -> None:
    """Writes items as Parquet for `penchant import items`, with the same bytes each time."""
    keys = sorted({key for item in items for key in item.attributes})
    columns: dict[str, list[str | None]] = {
        "id": [item.id for item in items],
        "text": [item.text for item in items],
    }
    for key in keys:
        columns[key] = [item.attributes.get(key) for item in items]
    pq.write_table(pa.table(columns), path, compression="zstd", compression_level=_LEVEL)


def read_items(path: Path = SNAPSHOT) -> list[Item]:
    """Reads the items of such a file, in its order.

    Raises:
        ConfigError: the file can't be read, or a row is no item.
    """
    left_out = LeftOut()
    with open_table(path) as table:
        items = read_table.read_items(table, ItemColumns(), left_out)
    if left_out.counts:
        raise ConfigError(f"items: {path} can't be read; {left_out.first_case}")
    return items
