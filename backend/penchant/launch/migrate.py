"""Moves a store from LMDB to Valkey, or back: copied while it serves, finished while it stands.

    live       passes over both stores until little is left; the source's server goes on
    finish     nobody may write to the source: passes until one finds no difference, the catalog's
               files, and then the two notes by which the source refuses servers and the target
               takes them (`penchant.store.move_note`)

A kill leaves at worst a target that no server starts on; the same command goes on. The source's
note changes first: at no moment do both stores take servers.
"""

from __future__ import annotations

import dataclasses
import secrets
import time
from contextlib import ExitStack, suppress
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from penchant import config
from penchant.config import Config
from penchant.domain.errors import ConfigError, StateCorrupt, StoreUnavailable
from penchant.domain.types import CatalogHead
from penchant.launch.model_parameters import is_store, whole_address
from penchant.launch.move_turns import (
    nobody_writes,
    opened_store,
    receiving,
    settle_operands,
    stopped,
)
from penchant.server.kept_settings import kept_for, settled
from penchant.server.served_store import read_item_biases, shared_files
from penchant.server.tenants import note_tenant, tenant_pairs
from penchant.service.catalog_share import CatalogShare, catalogs_in
from penchant.service.clock import system_clock
from penchant.service.mended_catalog import find_damage
from penchant.store.address import check_address, directory_of, is_network, shown
from penchant.store.base import Store
from penchant.store.codec import decode_settings, encode_settings
from penchant.store.items import read_head
from penchant.store.keys import Kind, encode
from penchant.store.move_note import MoveNote, read_move, write_move
from penchant.store.name_keys import read_name_keys
from penchant.store.row_copy import NOT_CARRIED, Carried, CopyPass, StoreChecksums, copy_pass
from penchant.store.settings_row import read_settings
from penchant.system.audit_log import AuditLog
from penchant.system.option_types import Flag
from penchant.system.progress import Progress, no_progress

MOST_PASSES = 6
"""Passes of one run beside a server, at most."""

LAST_PASSES = 4
"""Passes of a finish: more mean that somebody still writes."""

LITTLE_ROWS = 100
"""Rows that a live pass may have changed for the run to end."""

_SETTINGS = encode(Kind.SETTINGS)


@dataclass(frozen=True, slots=True)
class MigrateRequest:
    """Where a store is, and where it shall be."""

    _: KW_ONLY
    source: Annotated[str, Parameter(name="--from", metavar="STORE")]
    """Store that is in use: lmdb:DIRECTORY or valkey://…/NAMESPACE."""
    target: Annotated[str, Parameter(name="--to", metavar="STORE")]
    """Store to make: one in the other engine, which is empty or an unfinished copy."""
    finish: Flag = False
    """Bring over the rest and hand over, once the source's servers are stopped: from then on they
    refuse to start, and those of the new store may."""


@dataclass(frozen=True, slots=True)
class MoveReport:
    """The outcome for one store: the server's own, or a tenant's."""

    source: str
    """Address without a password."""
    target: str
    passes: tuple[CopyPass, ...]
    """In order; none: the store had moved already."""
    seconds: tuple[float, ...]
    """How long each of them took."""
    finished: bool
    """Whether the target has taken the source's place."""
    refused_s: float = 0.0
    """Seconds during which this command kept everybody from writing."""
    remarks: tuple[str, ...] = ()
    """What did not come along."""


@dataclass(frozen=True, slots=True)
class MigrateResult:
    """The outcome."""

    stores: tuple[MoveReport, ...]
    """The server's own store is the last one."""
    release: str
    """Id of the release that is served; its folder must be where the new servers look; empty: none
    was published."""
    name_keys: int
    """Keys of pseudonyms that the new servers need."""


def migrate(request: MigrateRequest, progress: Progress = no_progress) -> MigrateResult:
    """Copies a store to another engine, with its tenants' stores, and hands over if asked.

    Raises:
        ConfigError: the addresses do not fit, the target holds another store, or the source can't
            be moved as it is; the text says what to do.
        StoreUnavailable: a server still uses one of them, or one can't be read or written. The same
            command goes on.
        StateCorrupt: a page of the source is damaged.
        StateTooNew: a newer release wrote to the source.
    """
    source, target = _whole("--from", request.source), _whole("--to", request.target)
    if is_network(source) == is_network(target):
        raise ConfigError(
            f"--to: got {shown(target)}, expected a store in the other engine than "
            f"{shown(source)}: lmdb:DIRECTORY and valkey://…/NAMESPACE. Copy one in LMDB by "
            "`penchant backup`, one in Valkey by Valkey's own replication"
        )
    place = directory_of(source)
    if place is not None and not is_store(place):
        raise ConfigError(f"--from: there is no store in {place}; name the server's own")
    reports = []
    tenants = tenant_pairs(source, target)
    with ExitStack() as held:
        if request.finish and tenants:  # Else theirs would be gone, and the server's own refused.
            held.enter_context(stopped(source))
        for tenant, its_source, its_target in tenants:
            reports.append(_move(its_source, its_target, request.finish, progress))
            if request.finish and is_network(target):
                note_tenant(target, tenant)
    reports.append(_move(source, target, request.finish, progress))
    with opened_store(source) as store, store.snapshot() as snapshot:
        keys, release = None, ""
        with suppress(StateCorrupt):  # The passes have reported it.
            release = read_head(snapshot).release
        with suppress(StateCorrupt):
            keys = read_name_keys(snapshot)
    return MigrateResult(tuple(reports), release, 0 if keys is None else len(keys.applied))


def _move(source: str, target: str, finish: bool, progress: Progress) -> MoveReport:
    """Moves one store."""
    with ExitStack() as opened:
        theirs = opened.enter_context(opened_store(source))
        move = _agreed(source, theirs)
        ours = opened.enter_context(receiving(target))
        move = _accepted(move, source, target, theirs, ours)
        _refuse_what_cannot_move(theirs)
        names = shown(source), shown(target)
        if move.done:
            return MoveReport(*names, (), (), finished=True)
        # The target first: a source that is noted as copied alone means nothing.
        write_move(target, ours, MoveNote(move.id, "arriving", names[0]))
        if not move.left:
            write_move(source, theirs, MoveNote(move.id, "copied", names[1]))
        carried = partial(_carried, to_network=is_network(target))
        if not finish:
            passes, seconds = _live(theirs, ours, carried, progress)
            return MoveReport(*names, tuple(passes), tuple(seconds), finished=False)
        return _finish(source, target, theirs, ours, move, carried, progress)


def _live(
    source: Store, target: Store, carried: Carried, progress: Progress
) -> tuple[list[CopyPass], list[float]]:
    """Passes until little is left, or a further one would find as much again."""
    passes: list[CopyPass] = []
    seconds: list[float] = []
    while len(passes) < MOST_PASSES:
        settle_operands(source)
        done, took_s = _passed(source, target, carried, progress, len(passes) + 1)
        passes.append(done)
        seconds.append(took_s)
        if done.changed <= LITTLE_ROWS:
            break
        if len(passes) > 1 and done.changed > passes[-2].changed / 2:
            break
    return passes, seconds


def _finish(
    source: str,
    target: str,
    theirs: Store,
    ours: Store,
    move: _Move,
    carried: Carried,
    progress: Progress,
) -> MoveReport:
    names = shown(source), shown(target)
    passes: list[CopyPass] = []
    seconds: list[float] = []
    with nobody_writes(source, theirs):
        began_s = time.monotonic()
        while not passes or passes[-1].changed:
            if len(passes) == LAST_PASSES:
                raise StoreUnavailable(
                    f"store: {names[0]} still changes: the last pass found "
                    f"{passes[-1].changed:,} rows that differ; stop whatever writes to it, a "
                    "`penchant refresh` or `ship --every` as well, and run this again"
                )
            settle_operands(source=theirs, whole=True)
            done, took_s = _passed(theirs, ours, carried, progress, len(passes) + 1)
            passes.append(done)
            seconds.append(took_s)
        _require_equal(passes[-1])
        progress("Moving the catalog's files", 0.0)
        remarks = _move_files(source, target, theirs, ours)
        audit = AuditLog(_audit_of(source) or _audit_of(target))
        audit.note("migrate", "", f"{names[0]} to {names[1]}")
        # In this order: at no moment do both take servers.
        write_move(source, theirs, MoveNote(move.id, "left", names[1]))
        write_move(target, ours, MoveNote(move.id, "arrived", names[0]))
        refused_s = time.monotonic() - began_s
    return MoveReport(
        *names,
        tuple(passes),
        tuple(seconds),
        finished=True,
        refused_s=refused_s,
        remarks=tuple(remarks),
    )


def _passed(
    source: Store, target: Store, carried: Carried, progress: Progress, number: int
) -> tuple[CopyPass, float]:
    """One pass, and the seconds that it took."""
    began_s = time.monotonic()
    done = copy_pass(
        source, target, carried, lambda rows: progress(f"Pass {number}: {rows:,} rows", 0.0)
    )
    return done, time.monotonic() - began_s


def _require_equal(last: CopyPass) -> None:
    """Compares the checksums of the two stores, made of what was read of each."""
    if last.source != last.target:
        raise StateCorrupt(
            f"store: the copies differ: {_sums(last.source)} in the source, {_sums(last.target)} "
            "in the target, though no row does; run this again"
        )


def _sums(of: StoreChecksums) -> str:
    return f"{of.users.rows:,} rows of users ({of.users}), {of.rest.rows:,} others ({of.rest})"


@dataclass(frozen=True, slots=True)
class _Move:
    """What the notes of both ends say."""

    id: str
    note: MoveNote | None
    """The source's."""
    left: bool = field(default=False)
    """Whether the source's note says that it has left, so that the target's is left to write."""
    done: bool = False


def _agreed(source: str, store: Store) -> _Move:
    """The move by the source's note alone."""
    note = read_move(source, store)
    if note is not None and note.state == "arriving":
        raise ConfigError(
            f"--from: {shown(source)} is itself an unfinished copy of {note.other}; finish that "
            "move, or copy from there"
        )
    left = note is not None and note.state == "left"
    return _Move(secrets.token_hex(8) if note is None else note.id, note, left)


def _accepted(move: _Move, source: str, target: str, theirs: Store, ours: Store) -> _Move:
    """The move, once the target's own note and rows fit it.

    Raises:
        ConfigError: the target holds another store.
    """
    note = read_move(target, ours)
    if note is not None and move.note is not None and note.id == move.note.id:
        if move.left:
            return dataclasses.replace(move, done=note.state == "arrived")
        if note.state in ("arriving", "left"):
            return move
    if move.note is not None and move.left:
        raise ConfigError(
            f"--from: {shown(source)} has moved to {move.note.other}, which takes events by now; "
            "name that one"
        )
    if not _is_empty(ours):
        of = f", a copy of {note.other}" if note is not None else ""
        raise ConfigError(
            f"--to: {shown(target)} holds another store{of}; name a directory or a namespace "
            "that is empty"
        )
    return dataclasses.replace(move, id=secrets.token_hex(8))


def _is_empty(store: Store) -> bool:
    with store.snapshot() as snapshot:
        return all(key[0] in NOT_CARRIED for key, _ in snapshot.scan(b""))


def _refuse_what_cannot_move(store: Store) -> None:
    keys = None
    with store.snapshot() as snapshot, suppress(StateCorrupt):  # The passes report it.
        keys = read_name_keys(snapshot)
    if keys is not None and keys.under_way:
        raise ConfigError(
            "--from: the names of its users are being changed; let `penchant pseudonyms rotate` "
            "end first"
        )


def _carried(key: bytes, value: bytes, *, to_network: bool) -> bytes:
    """The value that the target shall have: the same, but for directories of the source's machine.

    Servers of a store in a network have directories of their own.
    """
    if key != _SETTINGS or not to_network:
        return value
    try:
        settings = decode_settings(value)
    except StateCorrupt:
        return value
    kept = kept_for(settings, network=True)
    return value if kept == settings else encode_settings(kept)


def _whole(option: str, address: str) -> str:
    try:
        check_address(address)
    except ConfigError as error:
        raise ConfigError(f"{option}: {str(error).removeprefix('store: ')}") from None
    return whole_address(address)


def _move_files(source: str, target: str, theirs: Store, ours: Store) -> list[str]:
    """Brings the catalog's files over; returns what did not come along.

    What is missing then, the new server makes from the rows, except for what a refresh alone makes.
    """
    network = is_network(target)
    try:
        with theirs.snapshot() as snapshot:
            kept = read_settings(snapshot) or {}
        parsed = _config_of(source if network else target, kept_for(kept, network=not network))
        directory = config.catalog_directory(parsed)
        assert directory is not None
        biases = partial(read_item_biases, theirs, parsed, system_clock)
        share = CatalogShare(directory, shared_files(ours if network else theirs, parsed), biases)
        if not network:
            with theirs.snapshot() as snapshot:
                share.complete(snapshot)
        with ours.snapshot() as snapshot:
            catalogs = catalogs_in(snapshot, directory)
    except StateCorrupt as error:
        return [f"the catalog's files: {error}"]
    missing: list[str] = []
    for catalog, files, head in catalogs:
        missing += find_damage(files, head).values()
        if network and head.generation:
            try:
                share.send(CatalogHead(), head, files, catalog)
            except StoreUnavailable as error:
                missing.append(str(error))
    return missing


def _config_of(address: str, kept: dict[str, str]) -> Config:
    return settled(config.parse({"store": address, "encoder": "none"}), kept)


def _audit_of(address: str) -> Path | None:
    place = directory_of(address)
    return None if place is None else config.audit_directory(_config_of(address, {}))
