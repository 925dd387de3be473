"""The public keys that verify tokens: a JWKS file (RFC 7517), read again whenever it changes."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penchant.domain.caller import TENANT_RULE, is_tenant_name
from penchant.domain.errors import ConfigError
from penchant.system.optional_package import needs_extra
from penchant.system.os_error_reason import reason_of
from penchant.system.strict_json import read_json

LOOK_EVERY_S = 1.0
"""Seconds between two looks at the file."""
MOST_BYTES = 1 << 20
"""Size limit of the file, in bytes."""
LEAST_RSA_BITS = 2048

log = logging.getLogger("penchant")


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A public key, and the one algorithm that it verifies."""

    algorithm: str
    """`EdDSA` or `RS256`, by the kind of the key; a token that names another one is refused."""
    key: Any
    """The key as joserfc holds it."""
    tenants: frozenset[str] | None = None
    """The tenants that the key's owner speaks for; None: all, and the server's own store."""


TokenKeys = Mapping[str, TokenKey]
"""Keys by their id, `kid`."""


def read_keys(text: str) -> dict[str, TokenKey]:
    """The keys of a JWKS; those of other kinds or for other uses are left out.

    Args:
        text: a JSON object with a list `keys`. Each key of kind OKP (Ed25519) or RSA needs a
            `kid`. Its member `tenants`, a list of names, is Penchant's own.

    Raises:
        ConfigError: it is no JWKS, an id is missing or given twice, a key is private or symmetric,
            or an RSA key is shorter than 2,048 bits.
    """
    try:
        found = read_json(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"token_keys: {error}; expected a JWKS in JSON") from None
    listed = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise ConfigError('token_keys: got no list "keys", expected a JWKS: {"keys": [...]}')
    keys: dict[str, TokenKey] = {}
    for place, member in enumerate(listed):
        name = f"token_keys: keys[{place}]"
        if not isinstance(member, dict):
            raise ConfigError(f"{name}: got {type(member).__name__}, expected an object")
        key = _key(name, member)
        if key is None:
            continue
        kid = member.get("kid")
        if not isinstance(kid, str) or not kid:
            raise ConfigError(f"{name}.kid: missing, expected an id that tokens name")
        if kid in keys:
            raise ConfigError(f"{name}.kid: got {kid[:64]!r} twice, expected distinct ids")
        keys[kid] = key
    return keys


def _key(name: str, member: Mapping[str, Any]) -> TokenKey | None:
    kind = member.get("kty")
    if kind == "oct" or "d" in member or "k" in member:
        raise ConfigError(
            f"{name}: got a secret key, expected public keys alone; keep the others off the server"
        )
    if member.get("use", "sig") != "sig":
        return None
    if kind == "OKP" and member.get("crv") == "Ed25519":
        algorithm = "EdDSA"
    elif kind == "RSA":
        algorithm = "RS256"
    else:
        return None
    if member.get("alg", algorithm) not in (algorithm, *_ALSO.get(algorithm, ())):
        return None
    plain = {part: member[part] for part in ("kty", "crv", "x", "n", "e") if part in member}
    with needs_extra("token_keys", "backend"):
        from joserfc import jwk
    try:
        with warnings.catch_warnings(action="ignore"):  # Of a short key, which is refused below.
            key = jwk.import_key(plain)
        bits = getattr(key.raw_value, "key_size", LEAST_RSA_BITS)
    except Exception:  # noqa: BLE001  # Of joserfc, cryptography or base64: all mean the same.
        raise ConfigError(f"{name}: got numbers that make no {kind} key") from None
    if bits < LEAST_RSA_BITS:
        raise ConfigError(f"{name}: got {bits} bits, expected {LEAST_RSA_BITS} or more")
    return TokenKey(algorithm, key, _tenants(name, member.get("tenants")))


_ALSO = {"EdDSA": ("Ed25519",)}
"""Other names of an algorithm that a key may carry (RFC 9864)."""


def _tenants(name: str, listed: object) -> frozenset[str] | None:
    if listed is None:
        return None
    texts = listed if isinstance(listed, list) else []
    if not texts or not all(isinstance(text, str) and is_tenant_name(text) for text in texts):
        raise ConfigError(f"{name}.tenants: expected a list of names, each {TENANT_RULE}")
    return frozenset(texts)


def read_key_file(path: Path) -> dict[str, TokenKey]:
    """The keys of a file; see `read_keys`.

    Raises:
        ConfigError: as `read_keys`, or the file is missing, unreadable or over 1 MiB.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"token_keys: {reason_of(error)}; expected a JWKS file") from None
    if len(data) > MOST_BYTES:
        raise ConfigError(f"token_keys: got over {MOST_BYTES} bytes, expected a JWKS file")
    try:
        return read_keys(data.decode())
    except UnicodeDecodeError:
        raise ConfigError("token_keys: got bytes that are no UTF-8, expected JSON") from None


class KeyFile:
    """The keys of a file as it is now; a file that can't be read keeps the last good keys.

    To take a key away, write the file without it; a deleted file takes nothing away.
    """

    def __init__(self, path: Path, reloaded: Callable[[bool], None]) -> None:
        """Reads the file.

        Args:
            path: the file.
            reloaded: called after each new reading, with whether the file was good.

        Raises:
            ConfigError: see `read_key_file`.
        """
        self._path = path
        self._reloaded = reloaded
        self._seen = _fingerprint(path)
        self._next_look_s = time.monotonic() + LOOK_EVERY_S
        self.keys: TokenKeys = read_key_file(path)

    def look(self) -> bool:
        """Reads the file again if it has changed; looks at most once a second.

        Returns:
            Whether `keys` are new.
        """
        now_s = time.monotonic()
        if now_s < self._next_look_s:
            return False
        self._next_look_s = now_s + LOOK_EVERY_S
        seen = _fingerprint(self._path)
        if seen == self._seen:
            return False
        self._seen = seen
        try:
            keys = read_key_file(self._path)
        except ConfigError as error:
            log.error("%s; the %d keys read before stay in use", error, len(self.keys))
            self._reloaded(False)
            return False
        log.warning("token_keys: %d keys from now on, %d before", len(keys), len(self.keys))
        self.keys = keys
        self._reloaded(True)
        return True


def _fingerprint(path: Path) -> tuple[int, int, int] | None:
    """Changes whenever the file is written or replaced; None without a file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
