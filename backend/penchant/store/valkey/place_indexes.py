"""The indexes of users and contributions: which places hold rows, in the order of the keys.

A name is in its index before the row is there, and leaves it after the row: an index may name what
is gone, which reads skip, and never lacks what is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from penchant.store.valkey.places import Place, Places, escaped, shard_of, user_key
from penchant.store.valkey.valkey_nodes import ServerCommand, ValkeyNodes


@dataclass(frozen=True, slots=True)
class Indexed:
    """A name in an index, and the command that finds out whether it stands for something."""

    index: bytes
    name: bytes
    look: ServerCommand


def user_entry(places: Places, place: Place) -> Indexed:
    """The entry of a user with rows."""
    text = escaped(place.user)
    look = ServerCommand(place.rows, [b"EXISTS", place.rows])
    return Indexed(places.user_indexes[shard_of(text)], text, look)


def contribution_entry(places: Places, place: Place, key: bytes) -> Indexed:
    """The entry of a contribution, by its key; all of one item are in one index."""
    index = places.contribution_indexes[shard_of(key[:10])]
    return Indexed(
        index, key, ServerCommand(place.rows, [b"HEXISTS", place.rows, places.of(key)[1]])
    )


def budget_entry(places: Places, place: Place, digest: bytes) -> Indexed:
    """The entry of a budget."""
    return Indexed(places.budget_index, digest, ServerCommand(place.rows, [b"EXISTS", place.rows]))


def written_names(
    writes: Mapping[Place, Iterable[bytes]], with_operands: Iterable[str]
) -> set[bytes]:
    """The names in indexes under which a transaction writes something.

    Args:
        writes: by place, the fields that it writes or deletes.
        with_operands: users for whom it merges something.
    """
    places = [place for place in writes if place.kind == "user"]
    rows = {user_key(field, place.user) for place in places for field in writes[place]}
    users = {escaped(place.user) for place in places}
    return rows | users | {escaped(user) for user in with_operands}


def additions(entries: Iterable[Indexed]) -> list[ServerCommand]:
    """The commands that add entries, one an index."""
    members: dict[bytes, list[bytes]] = {}
    for entry in entries:
        members.setdefault(entry.index, []).extend((b"0", entry.name))
    return [ServerCommand(index, [b"ZADD", index, *words]) for index, words in members.items()]


def drop_gone(nodes: ValkeyNodes, entries: Sequence[Indexed]) -> None:
    """Removes those entries that stand for nothing, unless a writer has just made it again."""
    if not entries:
        return
    there = nodes.run([entry.look for entry in entries])
    gone = [entry for entry, found in zip(entries, there, strict=True) if found == 0]
    if gone:
        nodes.run([ServerCommand(one.index, [b"ZREM", one.index, one.name]) for one in gone])
        there = nodes.run([entry.look for entry in gone])
        nodes.run(additions(entry for entry, found in zip(gone, there, strict=True) if found != 0))
