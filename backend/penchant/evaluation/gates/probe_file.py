"""A probe set as one Parquet file: a row a ranking, the items in the file's own notes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from penchant.domain.errors import ConfigError
from penchant.domain.types import WINDOW_DTYPE
from penchant.evaluation.gates.probes import ProbeSet
from penchant.evaluation.targets import CANDIDATES

FORMAT = 1
"""Goes up when an older release could misread the file."""

_NOTES = b"penchant.probes"
_FIELDS = ("occurred_at_us", "recommendation", "item", "reward", "weight", "wait_s")
"""Of a window's row; the event's digest is left out."""


def write_probes(path: Path, probes: ProbeSet) -> None:
    """Writes a file whole or not at all; equal probe sets, equal contents."""
    ends = probes.lengths.cumsum()
    offsets = pa.array(np.concatenate([[0], ends]).astype(np.int32))
    columns = {
        name: pa.ListArray.from_arrays(offsets, pa.array(probes.windows[name].copy()))
        for name in _FIELDS
    }
    columns |= {"target": probes.target, "at_us": probes.at_us, "user": probes.user}
    items = list(zip(probes.ids, probes.texts, strict=True))
    notes = {"format": FORMAT, "candidates": probes.candidates, "items": items}
    told = {_NOTES: json.dumps(notes, ensure_ascii=False).encode()}
    table = pa.table(columns).replace_schema_metadata(told)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    pq.write_table(table, unfinished, compression="zstd")
    unfinished.replace(path)


def read_probes(path: Path) -> ProbeSet:
    """The inverse of `write_probes`.

    Raises:
        ConfigError: the file is missing, damaged, no probe set, or of another format.
    """
    try:
        table = pq.read_table(path)
        notes = json.loads((table.schema.metadata or {})[_NOTES])
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise _wrong(path, f"can't be read as one ({type(error).__name__})") from error
    if notes.get("format") != FORMAT:
        raise _wrong(path, f"format: got {notes.get('format')!r}, expected {FORMAT}")
    try:
        return _checked(_parse(table, notes))
    except (KeyError, ValueError, TypeError, pa.ArrowException) as error:
        raise _wrong(path, f"holds no rankings ({error})") from error


def _parse(table: Any, notes: dict[str, Any]) -> ProbeSet:
    columns = {name: table[name].combine_chunks() for name in _FIELDS}
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


def _integers(column: Any) -> NDArray[np.int64]:
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
