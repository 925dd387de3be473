"""The connection of commands that talk to a server, their common options, and item names."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from textwrap import shorten
from typing import Annotated

from cyclopts import Parameter

from penchant.cli.next_steps import command_line
from penchant.domain.errors import ConfigError
from penchant.launch.ports import DEFAULT_TARGET as DEFAULT_TARGET  # For commands and demos.
from penchant.logs.cells import BadRow, time_us_of
from penchant.report.printable import printable
from penchant.system.option_types import TARGET_IN_USE, Pairs
from penchant_sdk import DeadlineExceeded, Item, ModelNotFound, Penchant, Unavailable

TargetOption = Annotated[
    str,
    TARGET_IN_USE,
    Parameter(name="--target", metavar="HOST:PORT", help="gRPC address of the server."),
]
"""The option `--target` of commands that talk to a server."""

ContextPairs = Annotated[Pairs, Parameter(name="--context")]
"""The option `--context`; read it with `parse_context`."""

TIMEOUT_S = 10.0
"""Deadline of a call, in seconds: people wait longer than programs."""

_NAME_LENGTH = 60


def _connect(target: str) -> Penchant:
    return Penchant(target, timeout_s=TIMEOUT_S)


connect: Callable[[str], Penchant] = _connect
"""Makes the client; tests replace it."""


@contextmanager
def connected(target: str) -> Iterator[Penchant]:
    """A client for one command.

    Raises:
        ConfigError: no server answers at the address, or a Triton without Penchant does.
    """
    # The commands themselves print each event that the server refuses.
    logging.getLogger("penchant_sdk").setLevel(logging.ERROR)
    with connect(target) as penchant:
        try:
            yield penchant
        except ModelNotFound as error:
            raise ConfigError(
                f"the server at {target} does not serve Penchant ({error}); start one with "
                "`penchant serve`, or name another with --target"
            ) from error
        except (Unavailable, DeadlineExceeded) as error:
            if type(error) not in (Unavailable, DeadlineExceeded):
                raise  # The server answered, and its message says what it lacks.
            if "healthy" in str(error):
                raise ConfigError(
                    f"a model process of the server at {target} died ({error}); restart it "
                    f"(`penchant serve`), or see `{command_line('doctor', '--target', target)}`"
                ) from error
            raise ConfigError(
                f"no answer from {target}; start a server with `penchant serve`, or name a "
                "running one with --target"
            ) from error


def parse_time(text: str | None, name: str) -> float | None:
    """Epoch seconds of a time in ISO 8601 or in epoch seconds; None for None.

    Raises:
        ConfigError: the text is neither.

    >>> parse_time("1970-01-01T00:01:00Z", "as-of")
    60.0
    """
    if text is None:
        return None
    try:
        return time_us_of(text, "s") / 1e6
    except BadRow as error:
        raise ConfigError(f"{name}: {str(error).partition(': ')[2]}") from None


def parse_context(entries: Iterable[str]) -> dict[str, str]:
    """The context given by `--context` options.

    Raises:
        ConfigError: an entry has no `=`, or no key.

    >>> parse_context(["room=kitchen", "part_of_day=morning"])
    {'room': 'kitchen', 'part_of_day': 'morning'}
    """
    context = {}
    for entry in entries:
        key, equals, value = entry.partition("=")
        if not equals or not key:
            raise ConfigError(f"context: got {entry!r}, expected KEY=VALUE, such as room=kitchen")
        context[key] = value
    return context


def names_of(penchant: Penchant, ids: Iterable[str]) -> dict[str, str]:
    """The names of items in the catalog, printable: title or name, or the beginning of the text."""
    distinct = list(dict.fromkeys(id_ for id_ in ids if id_))
    if not distinct:
        return {}
    return {item.id: printable(_name(item)) for item in penchant.get_items(distinct).items}


def counted(count: int, thing: str) -> str:
    """A number with its noun.

    >>> counted(1, "event"), counted(1200, "event")
    ('1 event', '1,200 events')
    """
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def _name(item: Item) -> str:
    for key in ("title", "name"):
        if item.attributes.get(key):
            return item.attributes[key]
    return shorten(item.text, _NAME_LENGTH, placeholder=" ...")
