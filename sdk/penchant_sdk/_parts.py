"""Cuts long lists into parts, one for each call; a refusal names the place in the whole list.

>>> [(start, len(part)) for start, part in parts(["id"] * 2500, 1000, size_of_text)]
[(0, 1000), (1000, 1000), (2000, 500)]
>>> in_whole_list(InvalidRequest("ids[3]: got '' twice"), "ids", 2000)
InvalidRequest("ids[2003]: got '' twice")
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from penchant_proto.v1 import event_pb2, item_pb2
from penchant_sdk.errors import InvalidRequest

BYTES_PER_CALL = 1 << 20
"""Bytes of a call that holds more than one element. The server's limit is twice that."""
_FRAME_BYTES = 8
"""At most what protobuf adds to an element of a list: its tag and its length."""

_Element = TypeVar("_Element")


def size_of_text(value: str) -> int:
    """Bytes of a text in UTF-8."""
    return len(value) if value.isascii() else len(value.encode())


def size_of_message(message: item_pb2.Item | event_pb2.Event) -> int:
    """Bytes of a serialized message."""
    return message.ByteSize()


def parts(
    values: Sequence[_Element], most: int, size: Callable[[_Element], int]
) -> Iterator[tuple[int, Sequence[_Element]]]:
    """Pieces of at most `most` elements and `BYTES_PER_CALL`, each with its start in the whole.

    An element that is larger than that has a piece of its own.
    """
    start = total = 0
    for place, value in enumerate(values):
        bytes_ = size(value) + _FRAME_BYTES
        if place > start and (place - start == most or total + bytes_ > BYTES_PER_CALL):
            yield start, values[start:place]
            start, total = place, 0
        total += bytes_
    if start < len(values):
        yield start, values[start:]


def in_whole_list(error: InvalidRequest, name: str, start: int) -> InvalidRequest:
    """The refusal of one part, with the place counted in the whole list.

    Args:
        error: the server's refusal, such as `ids[3]: ...`.
        name: name of the list.
        start: place of the part's first element in the whole list.
    """
    at = re.match(rf"{name}\[(\d+)\]", str(error))
    if at is None:
        return error
    return InvalidRequest(f"{name}[{start + int(at[1])}]{str(error)[at.end() :]}")
