"""Files that the servers of a store share in the store itself, in pieces; see `SharedFiles`.

The pieces of a file are the fields of one hash, and the names of all files are one set. They are no
rows: no snapshot or scan shows them.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from penchant.domain.errors import StoreUnavailable
from penchant.store.valkey.valkey_nodes import ServerCommand, ValkeyNodes

PIECE_BYTES = 1 << 20
"""Bytes of a piece, so that no command takes long."""

MOST_BYTES = 64 << 20
"""Bytes of the largest file: 250,000 vectors of 64 dimensions."""

_TOGETHER = 8
"""Pieces that are sent or asked for at once."""

_DRAFT_S = b"3600"
"""Seconds after which pieces are gone whose writer died."""

_PUBLISH = b"""
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('PERSIST', KEYS[1])
  redis.call('RENAME', KEYS[1], KEYS[2])
end
return redis.call('EXISTS', KEYS[2])
"""
"""Replaces a file by its draft, all pieces at once; may be sent twice."""


class StoredFiles:
    """The files of one namespace; thread-safe."""

    def __init__(self, nodes: ValkeyNodes, namespace: str) -> None:
        """Reads nothing yet."""
        self._nodes = nodes
        self._namespace = namespace.encode()
        self._names = b"{%s:files}" % self._namespace

    def write(self, name: str, content: bytes) -> None:
        """See `SharedFiles.write`; raises OSError, too, if the file is too large."""
        if len(content) > MOST_BYTES:
            raise OSError(
                f"{name} has {len(content) / 1e6:,.0f} MB, and the store itself takes files of up "
                f"to {MOST_BYTES / 1e6:,.0f} MB: set catalog_share to a place for larger ones"
            )
        key = self._key(name)
        draft = b"%s:%s" % (key, secrets.token_hex(8).encode())
        starts = range(0, max(1, len(content)), PIECE_BYTES)
        pieces = [
            [b"HSET", draft, b"%d" % place, content[start : start + PIECE_BYTES]]
            for place, start in enumerate(starts)
        ]
        for start in range(0, len(pieces), _TOGETHER):
            some = pieces[start : start + _TOGETHER]
            self._run(key, [*some, [b"EXPIRE", draft, _DRAFT_S]])
        (there,) = self._run(key, [[b"EVAL", _PUBLISH, b"2", draft, key]])
        if not there:
            raise OSError(f"{name} took too long to write")
        # After the pieces: a name that is listed has all of them.
        self._run(self._names, [[b"SADD", self._names, name.encode()]])

    def read(self, name: str) -> bytes | None:
        """See `SharedFiles.read`."""
        key = self._key(name)
        (count,) = self._run(key, [[b"HLEN", key]])
        pieces: list[bytes | None] = []
        for start in range(0, count, _TOGETHER):
            places = range(start, min(count, start + _TOGETHER))
            pieces += self._run(key, [[b"HGET", key, b"%d" % place] for place in places])
        if not pieces or None in pieces:
            return None
        return b"".join([piece for piece in pieces if piece is not None])

    def names(self) -> list[str]:
        """See `SharedFiles.names`."""
        (names,) = self._run(self._names, [[b"SMEMBERS", self._names]])
        return sorted(name.decode() for name in names)

    def remove(self, name: str) -> None:
        """See `SharedFiles.remove`."""
        self._run(self._names, [[b"SREM", self._names, name.encode()]])
        key = self._key(name)
        self._run(key, [[b"UNLINK", key]])

    def _key(self, name: str) -> bytes:
        return b"{%s:file:%s}" % (self._namespace, name.encode())

    def _run(self, key: bytes, commands: Sequence[Sequence[bytes]]) -> list[Any]:
        replies = self._nodes.run([ServerCommand(key, words) for words in commands], durable=True)
        for reply in replies:
            if isinstance(reply, StoreUnavailable):
                raise OSError(str(reply)) from reply
        return replies
