"""The catalog's files of servers that share a store: sent by who writes them, fetched by others.

Each server keeps its own files, which its processes map. A change of the catalog is made in the
files of one server, sent to the shared place before the head that names it is committed, and taken
from there by the others:

    served.vectors-3-1200-89abcdef      kind, number, rows, CRC-32; 0 rows where it has none
    trial-RELEASE.version-7-0-01234567

The rows that were appended to a matrix since it was sent come from the store, as do all rows if the
shared place has none that fit. What a refresh alone can make (priors, popularity, learnt weights,
neighbours, segments) comes from the shared place.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from penchant.catalog import files
from penchant.catalog.files import DamagedFile, PathOf
from penchant.catalog.item_biases import ItemBiasTable
from penchant.domain.errors import StoreUnavailable
from penchant.domain.types import CatalogHead, Matrix
from penchant.service.catalog_writer import placed, text_vector
from penchant.service.mended_catalog import find_damage, rows_of_store
from penchant.service.user_interest import rollout_directory
from penchant.store.base import Snapshot
from penchant.store.item_residuals import fetch_residuals
from penchant.store.items import (
    fetch_items,
    fetch_text_vectors,
    read_changes,
    read_head,
    read_sound_item,
)
from penchant.store.rollouts import read_rollout
from penchant.system.file_lock import FileLock
from penchant.system.shared_files import SharedFiles

log = logging.getLogger("penchant")

SERVED = "served"
"""Name of the served catalog in the shared place; one on trial has its directory's."""

KEPT = 2
"""Numbers of each kind that stay in the shared place."""

TURN_S = 60.0
"""Seconds that a process waits for another one of its server which writes files."""

_NAME = re.compile(r"(.+)\.(vectors|texts|version|neighbours)-(\d+)-(\d+)-([0-9a-f]{8})")
_ROWS: dict[str, PathOf] = {"vectors": files.vectors_path, "texts": files.texts_path}


@dataclass(frozen=True, slots=True)
class SharedFile:
    """What the name of a shared file says."""

    catalog: str
    """`served`, or `trial-` and a release."""
    kind: str
    number: int
    rows: int
    """Of a matrix; 0 for other files."""
    crc: int

    @property
    def name(self) -> str:
        """The file's name."""
        return f"{self.catalog}.{self.kind}-{self.number}-{self.rows}-{self.crc:08x}"

    @classmethod
    def of(cls, name: str) -> SharedFile | None:
        """Reads a name; None for that of another file.

        >>> SharedFile.of("served.vectors-3-1200-89abcdef")
        SharedFile(catalog='served', kind='vectors', number=3, rows=1200, crc=2309737967)
        """
        match = _NAME.fullmatch(name)
        if match is None:
            return None
        return cls(match[1], match[2], int(match[3]), int(match[4]), int(match[5], 16))


class CatalogShare:
    """The files of one server's catalogs, and the place that it shares with others."""

    def __init__(
        self, directory: Path, shared: SharedFiles, read_biases: Callable[[], ItemBiasTable]
    ) -> None:
        """Sends and fetches nothing yet.

        Args:
            directory: of this server's catalog files.
            shared: the shared place.
            read_biases: reads every item's counters, for offsets that have no file yet.
        """
        self.directory = directory
        self._shared = shared
        self._read_biases = read_biases
        self._threads = threading.RLock()
        self._turn: FileLock | None = None
        self._depth = 0
        self._whole: dict[Path, CatalogHead] = {}
        """The last head of each catalog whose files are known to be whole here."""

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Held by the one process of this server that writes files; may be held again within.

        Raises:
            StoreUnavailable: another process does not let go of it, or the directory is gone.
        """
        with self._threads:
            if not self._depth:
                self._acquire()
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if not self._depth and self._turn is not None:
                    self._turn.release()

    def _acquire(self) -> None:
        try:
            if self._turn is None or self._turn.was_replaced():
                self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._turn = FileLock(self.directory / "files.lock")
            if self._turn.acquire(TURN_S):
                return
        except OSError as error:
            raise StoreUnavailable(
                f"catalog: its directory can't be written: {error.strerror}; free disk space, or "
                "name another state_dir"
            ) from error
        raise StoreUnavailable(
            f"catalog: another process of this server has been writing its files for {TURN_S:g} s; "
            "if it is stopped, let it go on or end it"
        )

    def complete(self, snapshot: Snapshot) -> None:
        """Makes the files of the catalogs in a snapshot whole here; what can't be had stays out.

        Cost: under 1 microsecond for a head that was seen whole; else a pass over all rows, and
        what is fetched.
        """
        for catalog, place, head in catalogs_in(snapshot, self.directory):
            if head.generation == 0 or self._whole.get(place) == head:
                continue
            with self.turn():
                try:
                    place.mkdir(mode=0o700, parents=True, exist_ok=True)
                    if self._completed(snapshot, catalog, place, head):
                        self._whole[place] = head
                except OSError as error:
                    log.warning("catalog: its files can't be fetched or written: %s", error)

    def forget(self) -> None:
        """Looks at all files again next time: one was found damaged."""
        self._whole.clear()

    def send(self, before: CatalogHead, head: CatalogHead, place: Path, catalog: str) -> None:
        """Sends the files that a new head names and that its predecessor did not.

        Args:
            before: the head before the change.
            head: the head that is about to be committed.
            place: directory of the catalog's files here.
            catalog: `served`, or the name of a catalog on trial.

        Raises:
            StoreUnavailable: they can't be sent; nothing may be committed.
        """
        if head.generation == 0 or head == before:
            return
        fresh = head.generation != before.generation or head.version != before.version
        try:
            if fresh:
                self._send_rows(head, place, catalog)
            if head.version and (head.version, head.version_crc) != (
                before.version,
                before.version_crc,
            ):
                self._send_file(catalog, "version", head.version, head.version_crc, place)
            if head.neighbours and (head.neighbours, head.neighbours_crc) != (
                before.neighbours,
                before.neighbours_crc,
            ):
                self._send_file(catalog, "neighbours", head.neighbours, head.neighbours_crc, place)
        except (OSError, DamagedFile) as error:
            raise StoreUnavailable(
                f"catalog: its files can't be sent to the shared place: {error}; nothing was "
                "changed; send the call again"
            ) from error
        if fresh:
            self._prune(catalog, head)

    def has_whole(self, place: Path, head: CatalogHead) -> None:
        """Takes it that the files of a head are whole here, since they were just written."""
        self._whole[place] = head

    def _send_rows(self, head: CatalogHead, place: Path, catalog: str) -> None:
        for kind, crc in (("vectors", head.vectors_crc), ("texts", head.texts_crc)):
            if crc is None:
                continue
            path = _ROWS[kind](place, head.generation)
            with path.open("rb") as file:
                content = file.read(head.rows * head.dimensions * 4)
            self._shared.write(
                SharedFile(catalog, kind, head.generation, head.rows, crc).name, content
            )

    def _send_file(
        self, catalog: str, kind: str, number: int, crc: int | None, place: Path
    ) -> None:
        content = _path_of(kind, place, number).read_bytes()
        crc = zlib.crc32(content) if crc is None else crc
        self._shared.write(SharedFile(catalog, kind, number, 0, crc).name, content)

    def _prune(self, catalog: str, head: CatalogHead) -> None:
        """Removes what no server can still need; a failure is left to the next time.

        The files of a rollout that has ended go when the next one's are sent.
        """
        newest = {
            "vectors": head.generation,
            "texts": head.generation,
            "version": head.version,
            "neighbours": head.neighbours,
        }
        try:
            for name in self._shared.names():
                found = SharedFile.of(name)
                if found is None:
                    continue
                old = found.number <= newest[found.kind] - KEPT
                ended = catalog != SERVED and found.catalog not in (SERVED, catalog)
                if ended or (found.catalog == catalog and old):
                    self._shared.remove(name)
        except OSError as error:
            log.warning("catalog: old files can't be removed from the shared place: %s", error)

    def _completed(self, snapshot: Snapshot, catalog: str, place: Path, head: CatalogHead) -> bool:
        """Fetches and makes what is missing or damaged; returns whether all is whole now."""
        with contextlib.suppress(DamagedFile, FileNotFoundError):
            if self._append(snapshot, place, head):
                return True
        damage = find_damage(place, head)
        if not damage:
            return True
        for kind, number, crc in (
            ("version", head.version, head.version_crc),
            ("neighbours", head.neighbours, head.neighbours_crc),
        ):
            if kind in damage and crc is not None:
                content = self._shared.read(SharedFile(catalog, kind, number, 0, crc).name)
                if content is not None and zlib.crc32(content) == crc:
                    files.write_content(_path_of(kind, place, number), content)
        missing = {"vectors", "texts"} & damage.keys()
        if missing:
            self._make_rows(snapshot, catalog, place, head, missing)
        if "offsets" in find_damage(place, head):
            offsets = self._read_biases().values(head.rows)
            capacity = files.capacity_for(head.rows)
            files.write_offsets(place, head.generation, offsets, capacity)
        damage = find_damage(place, head)
        if damage:
            log.warning(
                "catalog: %s; the shared place has no such file", "; ".join(damage.values())
            )
        return not damage

    def _append(self, snapshot: Snapshot, place: Path, head: CatalogHead) -> bool:
        """Appends the rows of new items to files that were whole, without reading the others.

        Returns whether the files are whole now; False, too, where that needs another look.
        """
        known = self._whole.get(place)
        if (
            known is None
            or known.generation != head.generation
            or known.rows >= head.rows
            or known.vectors_crc is None
            or known.texts_crc is None
        ):
            return False
        made: tuple[Matrix, Matrix] | None = None
        for kind, before, wanted in (
            ("vectors", known.vectors_crc, head.vectors_crc),
            ("texts", known.texts_crc, head.texts_crc),
        ):
            path_of = _ROWS[kind]
            mapped = files.map_vectors(
                place, head.generation, head.dimensions, known.rows, path_of
            )[known.rows : head.rows]
            if len(mapped) == head.rows - known.rows and (files.checksum(mapped, before) == wanted):
                continue  # Another process of this server was faster.
            made = made or appended_rows(snapshot, head, known.rows)
            rows = made[0] if kind == "vectors" else made[1]
            if files.checksum(rows, before) != wanted or not files.append_rows(
                place, head.generation, known.rows, rows, path_of
            ):
                return False
        same = (known.version, known.version_crc, known.neighbours, known.neighbours_crc)
        return same == (head.version, head.version_crc, head.neighbours, head.neighbours_crc)

    def _make_rows(
        self, snapshot: Snapshot, catalog: str, place: Path, head: CatalogHead, kinds: set[str]
    ) -> None:
        """Writes the matrices: from the shared place, and from the store what it lacks."""
        wanted = {"vectors": head.vectors_crc, "texts": head.texts_crc}
        made: dict[str, Matrix] = {}
        for kind in kinds:
            rows = self._shared_rows(snapshot, catalog, kind, head, wanted[kind])
            if rows is not None:
                made[kind] = rows
        if made.keys() != kinds:
            from_store = rows_of_store(snapshot, head)
            made = {"vectors": from_store.vectors, "texts": from_store.texts} | made
        if "vectors" in kinds:
            files.write_matrix(files.vectors_path(place, head.generation), made["vectors"])
        if "texts" in kinds:
            files.write_matrix(files.texts_path(place, head.generation), made["texts"])

    def _shared_rows(
        self, snapshot: Snapshot, catalog: str, kind: str, head: CatalogHead, crc: int | None
    ) -> Matrix | None:
        """The rows of a matrix by its latest file in the shared place; None if none leads there."""
        found = [one for one in map(SharedFile.of, self._shared.names()) if one is not None]
        fitting = [
            one
            for one in found
            if (one.catalog, one.kind, one.number) == (catalog, kind, head.generation)
            and one.rows <= head.rows
        ]
        for one in sorted(fitting, key=lambda one: one.rows, reverse=True):
            content = self._shared.read(one.name)
            if content is None or zlib.crc32(content) != one.crc:
                continue
            if len(content) != one.rows * head.dimensions * 4:
                continue
            matrix = np.zeros((head.rows, head.dimensions), np.float32)
            matrix[: one.rows] = np.frombuffer(content, np.float32).reshape(one.rows, -1)
            if one.rows < head.rows:
                vectors, texts = appended_rows(snapshot, head, one.rows)
                matrix[one.rows :] = vectors if kind == "vectors" else texts
            if files.checksum(matrix) == crc:
                return matrix
        return None


def catalogs_in(snapshot: Snapshot, directory: Path) -> list[tuple[str, Path, CatalogHead]]:
    """The name, the directory and the head of the served catalog, and of one on rollout."""
    found = [(SERVED, directory, read_head(snapshot))]
    rollout = read_rollout(snapshot)
    if rollout is not None:
        place = rollout_directory(directory, rollout.release)
        found.append((place.name, place, rollout.head))
    return found


def appended_rows(snapshot: Snapshot, head: CatalogHead, start: int) -> tuple[Matrix, Matrix]:
    """The vectors of the items from a number on, and those of their texts, by the store.

    Within a generation, items are only added, so that each has the text that it was put with.
    Shapes (rows - start, d).
    """
    count = head.rows - start
    vectors, texts = np.zeros((2, count, head.dimensions), np.float32)
    ids = {
        change.number: change.id
        for change in read_changes(snapshot, 0)
        if start <= change.number < head.rows
    }
    fetch_items(snapshot, ids.values())
    found = [read_sound_item(snapshot, id_) for id_ in ids.values()]
    items = [one for one in found if one is not None and one.number in ids]
    fetch_text_vectors(snapshot, head.encoder_version, [stored.item.text for stored in items])
    fetch_residuals(snapshot, head.encoder_version, [stored.number for stored in items])
    for stored in items:
        number = stored.number
        text = text_vector(snapshot, head, stored.item)
        texts[number - start] = text
        vectors[number - start] = placed(snapshot, head.encoder_version, number, text)
    return vectors, texts


def _path_of(kind: str, place: Path, number: int) -> Path:
    of = files.version_path if kind == "version" else files.neighbours_path
    return of(place, number)
