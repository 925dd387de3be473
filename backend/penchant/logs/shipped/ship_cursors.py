"""How far each user's log has been shipped: the state versions in the files of a shipped log."""

from __future__ import annotations

import io
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from penchant.domain.pseudonyms import name_of
from penchant.logs.shipped.shipped_place import ShippedPlace, read_columns
from penchant.logs.shipped.shipped_state import ShippedCommit, ShippedState, cursors_name

Cursors = dict[str, int]
"""State versions by user: rows of higher ones are not shipped yet. About 150 bytes a user."""


def read_cursors(place: ShippedPlace, state: ShippedState) -> Cursors:
    """The cursors of a log, from its checkpoint on.

    Cost: reads the columns of users and versions of the files since.
    """
    cursors: Cursors = {}
    if state.checkpoint:
        table = read_columns(place, cursors_name(state.checkpoint))
        cursors = dict(zip(*(column.to_pylist() for column in table.columns), strict=True))
    for commit in state.since:
        _replay(place, commit, cursors)
    return cursors


def _replay(place: ShippedPlace, commit: ShippedCommit, cursors: Cursors) -> None:
    lower(cursors, commit.lowered)
    if commit.rewritten:
        return
    for file in commit.added:
        table = read_columns(place, file.name, ["user", "state_version"])
        most = table.group_by("user").aggregate([("state_version", "max")])
        users, versions = most["user"].to_pylist(), most["state_version_max"].to_pylist()
        for user, version in zip(users, versions, strict=True):
            cursors[user] = max(cursors.get(user, 0), version)


def lower(cursors: Cursors, lowered: Iterable[tuple[str, int]]) -> None:
    """Lowers the cursors of some users, by name, in their order; 0 removes one."""
    changes = list(lowered)
    if not changes:
        return
    names = {name for name, _ in changes}
    users = users_by_name(cursors, names)
    for name, version in changes:
        user = users.get(name)
        if user is None or user not in cursors:
            continue
        if version <= 0:
            del cursors[user]
        else:
            cursors[user] = min(cursors[user], version)


def users_by_name(users: Iterable[str], names: set[str]) -> dict[str, str]:
    """Users by name, for those of some names. Cost: 2 us a user."""
    found = ((name_of(user), user) for user in users)
    return {name: user for name, user in found if name in names}


def encoded_cursors(cursors: Cursors) -> bytes:
    """The cursors as a file."""
    table = pa.table(
        {
            "user": pa.array(cursors, pa.string()),
            "state_version": pa.array(cursors.values(), pa.int64()),
        }
    )
    buffer = io.BytesIO()
    pq.write_table(table.take(pc.sort_indices(table["user"])), buffer, compression="zstd")
    return buffer.getvalue()
