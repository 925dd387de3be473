"""The address of a store: which engine, where, and how its password stays out of sight.

    lmdb:/absolute/directory
    memory:
    valkey://[user[:password]@]host[:port][,host[:port]...]/NAMESPACE[?option=value&...]
    valkeys://...                                                       the same over TLS

What is before the last `@` is who calls, so that / ? # and @ are percent-encoded there: %2F, %3F,
%23 and %40. Other parts have no bare `@` either.

The password may stand elsewhere: `password_file=/path` or `password_env=NAME` among the options.
One that is typed into the address moves into the environment of the process (`sealed`) before the
address goes anywhere, so that no argument, file, log or message of this program holds it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode

from penchant.domain.errors import ConfigError
from penchant.system.os_error_reason import reason_of
from penchant.system.redacted_address import redacted

NETWORK = ("valkey", "valkeys")
"""Engines that several servers reach over a network, and that have no directory."""

PASSWORD_FILE, PASSWORD_ENV = "password_file", "password_env"
"""Options that say where the password is."""

_VARIABLE = "PENCHANT_STORE_PASSWORD_"
_NAMESPACE = re.compile(r"[A-Za-z0-9_.:-]+")
_EXPECTED = (
    "lmdb:/absolute/directory, memory:, or valkey://[user[:password]@]host[:port][,...]/NAMESPACE"
)
_ENCODED = "; in a user or a password, write %2F for /, %3F for ?, %23 for # and %40 for @"

FILES = (PASSWORD_FILE, "ca", "cert", "key")
"""Options that name a file of this machine."""
NAMESPACE_LENGTH = 128
"""Characters of a namespace, at most."""


class AddressParts(NamedTuple):
    """An address of a store in a network, as it is written."""

    engine: str
    credentials: str
    """User, colon and password, percent-encoded; empty: none."""
    hosts: str
    path: str
    """The namespace, which may be written with / for each colon."""
    options: list[tuple[str, str]]

    @property
    def namespace(self) -> str:
        """The namespace as the engine knows it."""
        return unquote(self.path.strip("/")).replace("/", ":")

    @property
    def place(self) -> str:
        """The address without user, password and options."""
        return f"{self.hosts}/{self.path}"


def check_address(address: str) -> None:
    """Checks the form of a store's address, without opening it.

    Raises:
        ConfigError: the engine is unknown, or the place is missing; the text shows no password.

    >>> check_address("redis://localhost")
    Traceback (most recent call last):
    ...
    penchant.domain.errors.ConfigError: store: got 'redis://localhost', expected lmdb:/absolute/...
    """
    engine, colon, place = address.partition(":")
    fits = bool(place) if engine == "lmdb" else engine == "memory" and bool(colon)
    if is_network(address):
        parts = parts_of(address)
        fits = bool(parts.hosts and parts.namespace)
        check_namespace(parts.namespace)
    if not fits:
        raise ConfigError(f"store: got {redacted(address)!r}, expected {_EXPECTED}")


def check_namespace(namespace: str) -> None:
    """Checks the name of a store in a network.

    Raises:
        ConfigError: it is too long, or holds characters that a name may not have.

    >>> check_namespace("a shop")
    Traceback (most recent call last):
    ...
    penchant.domain.errors.ConfigError: store: the namespace: got 'a shop', expected letters, ...
    """
    if len(namespace) > NAMESPACE_LENGTH:
        raise ConfigError(
            f"store: the namespace: got {len(namespace)} characters, expected at most "
            f"{NAMESPACE_LENGTH}; choose a shorter one than {namespace[:20]!r}..."
        )
    if namespace and not _NAMESPACE.fullmatch(namespace):
        raise ConfigError(
            f"store: the namespace: got {namespace!r}, expected letters, digits, and any of _.-:/"
        )


def is_network(address: str) -> bool:
    """Whether an address names a store that servers reach over a network.

    >>> is_network("valkey://cache:6379/shop"), is_network("lmdb:/var/lib/penchant/store")
    (True, False)
    """
    return address.partition("://")[0] in NETWORK and "://" in address


def directory_of(address: str) -> Path | None:
    """The directory of an LMDB store; None for others.

    >>> directory_of("lmdb:/data/store"), directory_of("valkey://cache/shop")
    (PosixPath('/data/store'), None)
    """
    engine, _, place = address.partition(":")
    return Path(place) if engine == "lmdb" and place else None


def sealed(address: str, directory: Path | None = None) -> str:
    """An address that can go anywhere: no password is in it, and no path depends on a directory.

    The password moves into this process's environment, which processes that it starts inherit.
    Other addresses stay as they are.

    Args:
        address: as it was typed.
        directory: of relative paths among the options; None: the current one.

    Raises:
        ConfigError: it can't be told where the password ends; the text does not show it.

    >>> sealed("valkey://cache/shop"), sealed("lmdb:/data")
    ('valkey://cache/shop', 'lmdb:/data')
    """
    if not is_network(address):
        return address
    parts = parts_of(address)
    options = [(key, _anchored(key, value, directory)) for key, value in parts.options]
    user, colon, password = parts.credentials.partition(":")
    if not colon:
        if options == parts.options:
            return address
        at = f"{user}@" if user else ""
        return f"{parts.engine}://{at}{parts.place}?{_query(options)}"
    bare = f"{parts.engine}://{user}{'@' if user else ''}{parts.place}"
    name = _VARIABLE + hashlib.blake2b(bare.encode(), digest_size=4).hexdigest().upper()
    os.environ[name] = unquote(password)
    kept = [(key, value) for key, value in options if key not in (PASSWORD_ENV, PASSWORD_FILE)]
    return f"{bare}?{_query([*kept, (PASSWORD_ENV, name)])}"


def sealed_within(word: str) -> str:
    """A word of a command line whose address, if it holds one, is sealed.

    >>> sealed_within("--store=valkey://cache/shop"), sealed_within("doctor")
    ('--store=valkey://cache/shop', 'doctor')
    """
    found = re.search(r"\bvalkeys?://", word)
    return word if found is None else word[: found.start()] + sealed(word[found.start() :])


def is_sealed(address: str) -> bool:
    """Whether the password of an address is in this process's environment alone.

    >>> is_sealed("valkey://cache/shop?password_file=/run/secret")
    False
    """
    return f"{PASSWORD_ENV}={_VARIABLE}" in address


def shown(address: str) -> str:
    """An address as another command line can take it: never with a password.

    >>> shown("valkey://u:pw@cache/shop?wait=1")
    'valkey://u:***@cache/shop?wait=1'
    """
    return redacted(address.partition("?")[0] if is_sealed(address) else address)


def resolved(address: str) -> str:
    """An address with the password that its options name, for the engine alone.

    Raises:
        ConfigError: the file can't be read, or the variable is not set, or it can't be told where
            a typed password ends.
    """
    if not is_network(address):
        return address
    parts = parts_of(address)
    given = dict(parts.options)
    password = None
    if PASSWORD_FILE in given:
        password = _password_in(given[PASSWORD_FILE])
    elif PASSWORD_ENV in given:
        password = os.environ.get(given[PASSWORD_ENV])
        if password is None:
            raise ConfigError(
                f"store: {PASSWORD_ENV}={given[PASSWORD_ENV]} names a variable that is not set; "
                f"set it to the store's password, or name a file: {PASSWORD_FILE}=/path"
            )
    if password is None:
        return address
    user = parts.credentials.partition(":")[0]
    kept = [one for one in parts.options if one[0] not in (PASSWORD_ENV, PASSWORD_FILE)]
    query = f"?{_query(kept)}" if kept else ""
    return f"{parts.engine}://{user}:{quote(password, safe='')}@{parts.place}{query}"


def _password_in(file: str) -> str:
    """The content of a password's file.

    Raises:
        ConfigError: it can't be read, or is no text.
    """
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        reason = reason_of(error)
    except UnicodeDecodeError:
        reason = "it is no text in UTF-8; write the password alone into it"
    except ValueError:
        reason = "a path holds no zero"
    raise ConfigError(f"store: {PASSWORD_FILE}={file} can't be read: {reason}")


def with_namespace(address: str, suffix: str) -> str:
    """The address of another store at the same place, whose namespace ends with a suffix.

    >>> with_namespace("valkey://cache/shop?wait=1", "~acme")
    'valkey://cache/shop~acme?wait=1'
    """
    before, mark, options = address.partition("?")
    return f"{before}{suffix}{mark}{options}"


def name_of(address: str) -> str:
    """A name for files of a store: the same for the same place, whatever the options.

    >>> name_of("valkey://u@cache:6379/shop?wait=1") == name_of("valkey://cache:6379/shop")
    True
    >>> name_of("valkey://cache:6379/shop").rpartition("-")[0]
    'valkey-shop'
    """
    parts = parts_of(address)
    plain = re.sub(r"[^A-Za-z0-9_.]", "_", parts.path)[:40]
    digest = hashlib.blake2b(parts.place.encode(), digest_size=4).hexdigest()
    return f"{parts.engine}-{plain}-{digest}"


def parts_of(address: str) -> AddressParts:
    """Takes the address of a store in a network apart.

    Raises:
        ConfigError: it can't be told where the password ends; the text does not show it.

    >>> parts_of("valkey://ann:s%2Fe@one:7000,two/shop/eu?wait=1")
    AddressParts(engine='valkey', credentials='ann:s%2Fe', hosts='one:7000,two', path='shop/eu', \
options=[('wait', '1')])
    """
    engine, _, rest = address.partition("://")
    credentials, _, rest = rest.rpartition("@")
    if re.search(r"[/?#]", credentials):
        raise ConfigError(f"store: got {redacted(address)!r}, expected {_EXPECTED}{_ENCODED}")
    before, _, query = rest.partition("?")
    hosts, _, path = before.partition("/")
    return AddressParts(engine, credentials, hosts, path, parse_qsl(query, keep_blank_values=True))


def _anchored(option: str, value: str, directory: Path | None) -> str:
    """The value of an option, a path as it is wherever this process goes."""
    if option not in FILES or not value:
        return value
    return str((directory or Path.cwd()) / value)


def _query(options: Iterable[tuple[str, str]]) -> str:
    return urlencode(list(options), safe="/,:")
