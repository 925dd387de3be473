"""The connection of commands that talk to a server, their common options, and item names."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import shorten
from typing import Annotated

from cyclopts import Parameter

from penchant.cli.next_steps import command_line
from penchant.domain.errors import ConfigError
from penchant.launch.ports import DEFAULT_TARGET as DEFAULT_TARGET  # For commands and demos.
from penchant.launch.shown_token import NO_TOKEN, ShownToken
from penchant.launch.tls import NO_TLS, TlsFiles
from penchant.logs.cells import BadRow, time_us_of
from penchant.report.printable import printable
from penchant.system.option_types import FLAT, TARGET_IN_USE, Pairs
from penchant_sdk import DeadlineExceeded, Item, ModelNotFound, Penchant, Unavailable


@dataclass(frozen=True, slots=True)
class Connection:
    """The server that a command talks to."""

    target: Annotated[str, TARGET_IN_USE, Parameter(metavar="HOST:PORT")] = DEFAULT_TARGET
    """gRPC address of the server."""
    tls: Annotated[TlsFiles, FLAT] = NO_TLS
    """Certificates, if the server speaks TLS."""
    token: Annotated[ShownToken, FLAT] = NO_TOKEN
    """The token, if the server asks for one."""


LOCAL = Connection()
"""A server of this machine, on the default port."""

ConnectionOptions = Annotated[Connection, FLAT]
"""The options `--target`, `--tls`, `--tls-...` and `--token-file` of commands that talk to a
server."""

ContextPairs = Annotated[Pairs, Parameter(name="--context")]
"""The option `--context`; read it with `parse_context`."""

TIMEOUT_S = 10.0
"""Deadline of a call, in seconds: people wait longer than programs."""

_NAME_LENGTH = 60


def _connect(server: Connection) -> Penchant:
    credentials = server.tls.credentials()
    token = server.token.reader()
    return Penchant(server.target, timeout_s=TIMEOUT_S, credentials=credentials, token=token)


connect: Callable[[Connection], Penchant] = _connect
"""Makes the client; tests replace it."""


@contextmanager
def connected(server: Connection) -> Iterator[Penchant]:
    """A client for one command.

    Raises:
        ConfigError: no server answers at the address, or a Triton without Penchant does.
        LaunchError: a file of `--tls`, `--tls-...` or `--token-file` cannot be used.
    """
    target = server.target
    # The commands themselves print each event that the server refuses.
    logging.getLogger("penchant_sdk").setLevel(logging.ERROR)
    with connect(server) as penchant:
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
                f"no answer from {target}; start a server with `penchant serve`, name a running "
                f"one with --target{_tls_hint(server)}"
            ) from error


def _tls_hint(server: Connection) -> str:
    if server.tls == NO_TLS:
        return ", or, if it speaks TLS, the authority of its certificate with --tls-ca or --tls"
    return (
        ", or check that it speaks TLS with a certificate for that host that is valid now "
        "(--tls-ca, --tls)"
    )


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
