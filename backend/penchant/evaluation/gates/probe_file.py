"""A probe set as one Parquet file: one row per ranking, the items in the file's metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from penchant.domain.arrays import Int64
from penchant.domain.errors import ConfigError
from penchant.domain.types import WINDOW_DTYPE
from penchant.evaluation.gates.probes import ProbeSet
from penchant.evaluation.targets import CANDIDATES
from penchant.system.durable_file import whole_file
from penchant.system.os_error_reason import reason_of

FORMAT = 1
"""Incremented whenever an older release could misread the file."""

_METADATA = b"penchant.probes"
_FIELDS = ("occurred_at_us", "recommendation", "item", "reward", "weight", "wait_s")
"""Fields of a window's rows that are written; the event's digest is not."""
_SIGNAL = "signal"
"""One more, which files of earlier releases lack."""


def write_probes(path: Path, probes: ProbeSet) -> None:
    """Writes a file whole or not at all; equal probe sets give equal files."""
    ends = probes.lengths.cumsum()
    offsets = pa.array(np.concatenate([[0], ends]).astype(np.int32))
    columns = {
        name: pa.ListArray.from_arrays(offsets, pa.array(probes.windows[name].copy()))
        for name in (*_FIELDS, _SIGNAL)
    }
    columns |= {"target": probes.target, "at_us": probes.at_us, "user": probes.user}
    items = list(zip(probes.ids, probes.texts, strict=True))
    notes = {"format": FORMAT, "candidates": probes.candidates, "items": items}
    metadata = {_METADATA: json.dumps(notes, ensure_ascii=False).encode()}
    table = pa.table(columns).replace_schema_metadata(metadata)
    with whole_file(path) as file:
        pq.write_table(table, file, compression="zstd")


def read_probes(path: Path) -> ProbeSet:
    """Reads a file that `write_probes` wrote.

    Raises:
        ConfigError: the file is missing or damaged, holds no probe set, or has another format.
    """
    try:
        with path.open("rb") as file:
            table = pq.read_table(file)
        notes = json.loads((table.schema.metadata or {})[_METADATA])
    except OSError as error:
        raise _wrong(path, f"can't be read: {reason_of(error)}") from error
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise _wrong(path, "holds no frozen rankings") from error
    if notes.get("format") != FORMAT:
        raise _wrong(path, f"format: got {notes.get('format')!r}, expected {FORMAT}")
    try:
        return _checked(_parse(table, notes))
    except (KeyError, ValueError, TypeError, pa.ArrowException) as error:
        raise _wrong(path, f"holds no rankings ({error})") from error


def _parse(table: Any, notes: dict[str, Any]) -> ProbeSet:
    fields = [*_FIELDS, *({_SIGNAL} & set(table.column_names))]
    columns = {name: table[name].combine_chunks() for name in fields}
    lengths = np.asarray(columns["item"].value_lengths()).astype(np.int64)
    windows = np.zeros(int(lengths.sum()), WINDOW_DTYPE)
    for name, column in columns.items():
        windows[name] = np.asarray(column.flatten())
    return ProbeSet(
        ids=tuple(id_ for id_, _ in notes["items"]),
        texts=tuple(text for _, text in notes["items"]),
        windows=windows,
        lengths=lengths,
        target=_integers(table["target"]),
        at_us=_integers(table["at_us"]),
        user=_integers(table["user"]),
        candidates=notes["candidates"],
    )


def _integers(column: Any) -> Int64:
    return np.asarray(column.to_numpy(), np.int64)


def _checked(probes: ProbeSet) -> ProbeSet:
    items = len(probes.ids)
    if len(probes.lengths) == 0 or probes.lengths.min() < 1:
        raise ValueError("a ranking without events before it")
    for name, numbers in (("target", probes.target), ("item", probes.windows["item"])):
        if not 0 <= int(numbers.min()) <= int(numbers.max()) < items:
            raise ValueError(f"{name}: numbers of more than {items} items")
    if probes.candidates not in CANDIDATES:
        raise ValueError(f"candidates: {probes.candidates!r}")
    return probes


def _wrong(path: Path, what: str) -> ConfigError:
    return ConfigError(
        f"probes: {path}: {what}; expected a file that a release or --freeze-probes wrote"
    )
