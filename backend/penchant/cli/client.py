"""What the commands that talk to a server share: the connection, its errors, and times."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from textwrap import shorten
from typing import Annotated

import typer
from cyclopts import Parameter

from penchant.domain.errors import ConfigError
from penchant.logs.cells import BadRow, time_us_of
from penchant_sdk import DeadlineExceeded, Item, ModelNotFound, Penchant, Unavailable

DEFAULT_TARGET = "localhost:8001"

Target = Annotated[str, typer.Option(metavar="HOST:PORT", help="The gRPC address of the server.")]
"""The option that all of them have."""

TargetOption = Annotated[
    str, Parameter(name="--target", metavar="HOST:PORT", help="gRPC address of the server.")
]
"""The same for commands that cyclopts parses."""

TIMEOUT_S = 10.0
"""People wait longer than programs."""

_NAME_LENGTH = 60


def _connect(target: str) -> Penchant:
    return Penchant(target, timeout_s=TIMEOUT_S)


connect: Callable[[str], Penchant] = _connect
"""Makes the client; tests put a fake here."""


@contextmanager
def connected(target: str) -> Iterator[Penchant]:
    """A client for one command; an unreachable server becomes a line that says what to do.

    Raises:
        ConfigError: nobody answers there, or a Triton without Penchant does.
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
                raise  # The server answered, and says itself what it lacks.
            if "healthy" in str(error):
                raise ConfigError(
                    f"a model process of the server at {target} died ({error}); restart it "
                    f"(`penchant serve`), or see `penchant doctor --target {target}`"
                ) from error
            raise ConfigError(
                f"no answer from {target}; start a server with `penchant serve`, or name a "
                "running one with --target"
            ) from error


def parse_time(text: str | None, name: str) -> float | None:
    """Epoch seconds of ISO 8601 text or an epoch number; None for None.

    Raises:
        ConfigError: it is neither.

    >>> parse_time("1970-01-01T00:01:00Z", "as-of")
    60.0
    """
    if text is None:
        return None
    try:
        return time_us_of(text, "s") / 1e6
    except BadRow as error:
        raise ConfigError(f"{name}: {str(error).partition(': ')[2]}") from None


Context = Annotated[
    list[str] | None,
    typer.Option(
        "--context",
        metavar="KEY=VALUE",
        help="Where and when, such as room=kitchen; once for each.",
        show_default="none",
    ),
]
"""The option of commands that rank or tell where something happened."""


def parse_context(entries: list[str] | None) -> dict[str, str]:
    """The context that options spell.

    Raises:
        ConfigError: one has no `=`.

    >>> parse_context(["room=kitchen", "part_of_day=morning"])
    {'room': 'kitchen', 'part_of_day': 'morning'}
    """
    parted = [entry.partition("=") for entry in entries or ()]
    for key, equals, _ in parted:
        if not equals or not key:
            raise ConfigError(f"context: got {key!r}, expected KEY=VALUE, such as room=kitchen")
    return {key: value for key, _, value in parted}


def names_of(penchant: Penchant, ids: Iterable[str]) -> dict[str, str]:
    """What to call each item of the catalog: its title or name, else its text, cut short."""
    distinct = list(dict.fromkeys(id_ for id_ in ids if id_))
    if not distinct:
        return {}
    return {item.id: _name(item) for item in penchant.get_items(distinct).items}


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
