"""A digest of a log, so that results computed from one log are never taken for another's."""

from __future__ import annotations

import hashlib
import json

from penchant.logs.stream import Stream


def fingerprint(stream: Stream) -> str:
    """16 hex digits over everything a replay reads; equal streams give equal digits everywhere.

    Users and items enter by their ids, so their numbers make no difference. Cost: O(items +
    events).
    """
    digest = hashlib.blake2b(digest_size=8)
    for item in stream.items:
        content = (item.id, item.text, dict(item.attributes))
        digest.update(json.dumps(content, sort_keys=True).encode())
    for event in stream.events:
        # Without the event id: it only detects repeated events, and a stream holds none.
        fields: list[object] = [
            event.user,
            event.item,
            event.signal,
            event.value,
            event.occurred_at_us,
        ]
        fields += [event.context] if event.context else []
        digest.update(json.dumps(fields).encode())
    for values in (stream.reward, stream.weight, stream.relevant):
        digest.update(values.tobytes())
    return digest.hexdigest()
