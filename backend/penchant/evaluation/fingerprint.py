"""A short name of a log, so that what was computed from it is not taken for another one's."""

from __future__ import annotations

import hashlib
import json

from penchant.logs.stream import Stream


def fingerprint(stream: Stream) -> str:
    """16 hex digits of all that a replay reads; equal streams, equal digits, in every process.

    Users and items count by their ids, so that the numbers they were given make no difference.
    Cost: O(items + events).
    """
    digest = hashlib.blake2b(digest_size=8)
    for item in stream.items:
        named = (item.id, item.text, dict(item.attributes))
        digest.update(json.dumps(named, sort_keys=True).encode())
    for event in stream.events:
        # Without its id: an id tells repeated events, which are left out of a stream.
        told: list[object] = [
            event.user,
            event.item,
            event.signal,
            event.value,
            event.occurred_at_us,
        ]
        told += [event.context] if event.context else []
        digest.update(json.dumps(told).encode())
    for values in (stream.reward, stream.weight, stream.relevant):
        digest.update(values.tobytes())
    return digest.hexdigest()
