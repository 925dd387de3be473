"""The endpoints that a target names: one, several separated by commas, or a sequence.

>>> endpoint_names("a:8001, b:8001")
('a:8001', 'b:8001')
>>> endpoint_names("ipv4:10.0.0.1:8001,10.0.0.2:8001")
('ipv4:10.0.0.1:8001', 'ipv4:10.0.0.2:8001')
>>> endpoint_names(["a:8001", "a:8001"])
Traceback (most recent call last):
penchant_sdk.errors.InvalidRequest: target: got 'a:8001' twice, expected each endpoint once
>>> check_spelling(("a",))
Traceback (most recent call last):
penchant_sdk.errors.InvalidRequest: target: got 'a', expected host:port, as in a:8001
"""

from __future__ import annotations

from collections.abc import Sequence

from penchant_proto.local_targets import ADDRESSES
from penchant_proto.target_spelling import misspelt
from penchant_sdk._arguments import shown, texts
from penchant_sdk.errors import InvalidRequest

_PATHS = ("unix:", "unix-abstract:")
"""Schemes whose targets are names of files, which may hold commas."""


def endpoint_names(target: str | Sequence[str]) -> tuple[str, ...]:
    """The gRPC targets of all endpoints, in the order given.

    Args:
        target: `host:port` or another target of gRPC; several, separated by commas; or a sequence
            of them. A list of addresses in gRPC's form (`ipv4:ADDRESS,ADDRESS`) counts as several.

    Raises:
        InvalidRequest: there is none, one is empty, or one is there twice.
    """
    given = [target] if isinstance(target, str) else texts("target", target)
    names = [name.strip() for text in given for name in _names(text)]
    if not names or not all(names):
        raise InvalidRequest(
            f"target: got {shown(target)}, expected host:port, or several separated by commas"
        )
    for place, name in enumerate(names):
        if name in names[:place]:
            raise InvalidRequest(f"target: got {name!r} twice, expected each endpoint once")
    return tuple(names)


def check_spelling(names: Sequence[str]) -> None:
    """Checks the targets of a client that reaches them by gRPC.

    Raises:
        InvalidRequest: gRPC could reach one of them at no time.
    """
    for name in names:
        expected = misspelt(name)
        if expected:
            raise InvalidRequest(f"target: got {name!r}, expected {expected}")


def _names(text: str) -> list[str]:
    start = text.strip().lower()
    if start.startswith(_PATHS):
        return [text]
    for scheme in ADDRESSES:
        if start.startswith(scheme):
            addresses = text.strip()[len(scheme) :].split(",")
            return [f"{scheme}{one.strip().removeprefix(scheme)}" for one in addresses]
    return text.split(",")
