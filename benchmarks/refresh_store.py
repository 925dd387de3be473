"""A refresh end to end, by the command itself: `python -m benchmarks.refresh_store`.

The log is that of `benchmarks.refresh_cost`, in a Parquet file or in the store; the items
are in a real LMDB store. The time is that of one `penchant refresh` in its own process: start,
read, fit, publish. Afterwards the published vectors must show the planted groups: an item's nearest
neighbours are in its own group.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.refresh_cost import GROUPS, synthetic_events, unit_rows
from penchant.catalog.view import CatalogReader
from penchant.domain.settings import FoldSettings
from penchant.domain.types import Event, Item, LogRow, Matrix, UserState
from penchant.domain.window import empty_record
from penchant.encoder.library import EncoderLibrary
from penchant.logs.interactions import Interactions
from penchant.service.catalog import CatalogService
from penchant.service.user_interest import Catalogs, read_catalog
from penchant.store.lmdb import LmdbStore
from penchant.store.users import write_event, write_user

PUT = 5_000
"""Items put in one call."""
COMMIT = 50_000
"""Events written in one transaction."""
ROW_GROUP = 1 << 20
MEASURED = """
import atexit, runpy
from pathlib import Path
atexit.register(lambda: print(Path("/proc/self/status").read_text()))
runpy.run_module("penchant.cli.main", run_name="__main__")
"""
"""Runs the command, then prints the process's own peak; resource usage would hold the parent's."""
EPOCH_US = 1_700_000_000_000_000


class RowsAsTexts:
    """An encoder of texts that are row numbers."""

    version = "0000000000000000"

    def __init__(self, rows: Matrix) -> None:
        self._rows = rows
        self.dimensions = rows.shape[1]

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Gives the rows with these numbers, shape (n, d)."""
        vectors: Matrix = self._rows[[int(text) for text in texts]]
        return vectors


def write_parquet(path: Path, events: Interactions) -> None:
    """Writes a log like an export: ids as text, a signal, a time, an event id."""
    schema = pa.schema(
        [
            ("event_id", pa.string()),
            ("user", pa.string()),
            ("item", pa.string()),
            ("signal", pa.string()),
            ("occurred_at", pa.timestamp("us", "UTC")),
        ]
    )
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, len(events.user), ROW_GROUP):
            part = slice(start, start + ROW_GROUP)
            count = len(events.user[part])
            columns = [
                pa.array(np.arange(start, start + count)).cast(pa.string()),
                pa.array(events.user[part]).cast(pa.string()),
                pa.array(events.item[part]).cast(pa.string()),
                pa.array(["like"] * count),
                pa.array(events.at_us[part] + EPOCH_US, pa.timestamp("us", "UTC")),
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def fill_log(store: LmdbStore, events: Interactions) -> None:
    """Writes the log into a store, ordered by user, as a refresh reads it."""
    order = np.argsort(events.user, kind="stable")
    for start in range(0, len(order), COMMIT):
        with store.transaction() as transaction:
            for place in order[start : start + COMMIT].tolist():
                user, item = str(events.user[place]), str(events.item[place])
                at_us = EPOCH_US + int(events.at_us[place])
                event = Event(str(place), user, item, "like", None, at_us)
                write_event(transaction, LogRow(event, place + 1, at_us))
    with store.transaction() as transaction:
        for number in np.unique(events.user).tolist():
            write_user(transaction, str(number), UserState(empty_record()))


def fill_items(store: LmdbStore, directory: Path, texts: Matrix) -> None:
    """Puts one item for each row of the text vectors."""
    catalogs = Catalogs(directory, FoldSettings())
    service = CatalogService(store, catalogs, EncoderLibrary(RowsAsTexts(texts)))
    for start in range(0, len(texts), PUT):
        numbers = range(start, min(start + PUT, len(texts)))
        service.put([Item(str(number), str(number)) for number in numbers])


def neighbours_of_the_group(store: LmdbStore, directory: Path, items: int) -> float:
    """Share of the ten nearest neighbours that are in an item's group, over a thousand items."""
    with store.snapshot() as snapshot:
        vectors = np.array(read_catalog(snapshot, CatalogReader(directory, FoldSettings())).vectors)
    per_group = items // GROUPS
    often = np.arange(GROUPS * 10)
    asked = (often // 10) * per_group + often % 10
    nearness = vectors[asked] @ vectors.T
    nearness[np.arange(len(asked)), asked] = -np.inf
    nearest = np.argpartition(-nearness, 10, axis=1)[:, :10]
    return float((nearest // per_group == (asked // per_group)[:, None]).mean())


def refresh_in_a_process(place: Path, log: Path | None) -> tuple[float, float, str]:
    """Runs the command; gives its seconds, its peak memory in GiB, and its output."""
    command = [sys.executable, "-c", MEASURED, "refresh", "--store", f"lmdb:{place}"]
    if log is not None:
        command += ["--events", str(log)]
    began = time.perf_counter()
    done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - began
    said, _, status = done.stdout.partition("Name:")
    peak_kib = int(status.partition("VmHWM:")[2].split()[0])
    return seconds, peak_kib / 2**20, said.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--dimensions", type=int, default=64)
    parser.add_argument("--log", choices=("parquet", "store"), default="parquet")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    users = max(1, options.events // 100)
    with tempfile.TemporaryDirectory() as temporary:
        place, log = Path(temporary) / "store", Path(temporary) / "log.parquet"
        events = synthetic_events(options.items, options.events, users, options.seed)
        store = LmdbStore(place)
        began = time.perf_counter()
        fill_items(store, place / "catalog", unit_rows(options.items, options.dimensions, 1))
        if options.log == "store":
            fill_log(store, events)
        else:
            write_parquet(log, events)
        prepared = time.perf_counter() - began
        del events
        store.close()
        kept_elsewhere = log if options.log == "parquet" else None
        seconds, peak_gib, said = refresh_in_a_process(place, kept_elsewhere)
        store = LmdbStore(place)
        share = neighbours_of_the_group(store, place / "catalog", options.items)
        store.close()
    figures = {
        **vars(options),
        "prepared_s": round(prepared, 1),
        "refresh_s": round(seconds, 1),
        "peak_gib": round(peak_gib, 2),
        "neighbours_of_the_group": round(share, 3),
        "said": said,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
