"""The address of a store: which engine, where, and how its password stays out of sight.

    lmdb:/absolute/directory
    memory:
    valkey://[user[:password]@]host[:port][,host[:port]...]/NAMESPACE[?option=value&...]
    valkeys://...                                                       the same over TLS

The password may stand elsewhere: `password_file=/path` or `password_env=NAME` among the options.
One that is typed into the address moves into the environment of the process (`sealed`) before the
address goes anywhere, so that no argument, file, log or message of this program holds it.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode

from penchant.domain.errors import ConfigError
from penchant.system.os_error_reason import reason_of

NETWORK = ("valkey", "valkeys")
"""Engines that several servers reach over a network, and that have no directory."""

PASSWORD_FILE, PASSWORD_ENV = "password_file", "password_env"
"""Options that say where the password is."""

_VARIABLE = "PENCHANT_STORE_PASSWORD_"
_HIDDEN = "***"
_NAMESPACE = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")
_SECRET = re.compile(r"(?<=://)([^/?#@]*):[^/?#]*@")
_EXPECTED = (
    "lmdb:/absolute/directory, memory:, or valkey://[user[:password]@]host[:port][,...]/NAMESPACE"
)


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
        _, hosts, namespace, _ = _parts(address)
        fits = bool(hosts.rpartition("@")[2] and _NAMESPACE.fullmatch(namespace))
    if not fits:
        raise ConfigError(f"store: got {redacted(address)!r}, expected {_EXPECTED}")


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


def redacted(text: str) -> str:
    """An address, or any text that holds some, without passwords.

    >>> redacted("valkey://shop:s3cret@cache:6379/shop")
    'valkey://shop:***@cache:6379/shop'
    >>> redacted("valkey://cache/shop?password_env=X")
    'valkey://cache/shop?password_env=X'
    """
    return _SECRET.sub(rf"\1:{_HIDDEN}@", text)


def sealed(address: str) -> str:
    """An address without its password, which moves into this process's environment.

    Processes that this one starts inherit it. Other addresses stay as they are.

    >>> sealed("valkey://cache/shop"), sealed("lmdb:/data")
    ('valkey://cache/shop', 'lmdb:/data')
    """
    if not is_network(address):
        return address
    engine, hosts, namespace, options = _parts(address)
    credentials, at, places = hosts.rpartition("@")
    user, colon, password = credentials.partition(":")
    if not at or not colon:
        return address
    bare = f"{engine}://{user}{at if user else ''}{places}/{namespace}"
    name = _VARIABLE + hashlib.blake2b(bare.encode(), digest_size=4).hexdigest().upper()
    os.environ[name] = unquote(password)
    kept = [(key, value) for key, value in options if key not in (PASSWORD_ENV, PASSWORD_FILE)]
    return f"{bare}?{urlencode([*kept, (PASSWORD_ENV, name)], safe='/,:')}"


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
        ConfigError: the file can't be read, or the variable is not set.
    """
    if not is_network(address):
        return address
    engine, hosts, namespace, options = _parts(address)
    given = dict(options)
    password = None
    if PASSWORD_FILE in given:
        try:
            password = Path(given[PASSWORD_FILE]).read_text().strip()
        except OSError as error:
            raise ConfigError(
                f"store: {PASSWORD_FILE}={given[PASSWORD_FILE]} can't be read: {reason_of(error)}"
            ) from error
    elif PASSWORD_ENV in given:
        password = os.environ.get(given[PASSWORD_ENV])
        if password is None:
            raise ConfigError(
                f"store: {PASSWORD_ENV}={given[PASSWORD_ENV]} names a variable that is not set; "
                f"set it to the store's password, or name a file: {PASSWORD_FILE}=/path"
            )
    if password is None:
        return address
    credentials, _, places = hosts.rpartition("@")
    user = credentials.partition(":")[0]
    kept = [(key, value) for key, value in options if key not in (PASSWORD_ENV, PASSWORD_FILE)]
    query = f"?{urlencode(kept, safe='/,:')}" if kept else ""
    return f"{engine}://{user}:{quote(password, safe='')}@{places}/{namespace}{query}"


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
    engine, hosts, namespace, _ = _parts(address)
    places = hosts.rpartition("@")[2]
    plain = re.sub(r"[^A-Za-z0-9_.]", "_", namespace)[:40]
    digest = hashlib.blake2b(f"{places}/{namespace}".encode(), digest_size=4).hexdigest()
    return f"{engine}-{plain}-{digest}"


def _parts(address: str) -> tuple[str, str, str, list[tuple[str, str]]]:
    """Engine, hosts with what stands before them, namespace and options."""
    engine, _, rest = address.partition("://")
    before, _, query = rest.partition("?")
    hosts, _, namespace = before.partition("/")
    return engine, hosts, namespace, parse_qsl(query, keep_blank_values=True)
