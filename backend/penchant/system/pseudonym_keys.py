"""Reads the chain of keys of pseudonyms from a file or from the environment."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.domain.pseudonyms import KEY_BYTES
from penchant.system.os_error_reason import reason_of


def read_pseudonym_keys(place: str) -> tuple[bytes, ...]:
    """The keys at a place, oldest first; none for an empty place.

    Args:
        place: the setting `pseudonym_keys`. A file holds one key a line, in base64; empty lines and
            lines that begin with # are left out. A variable holds them separated by commas.

    Raises:
        ConfigError: there are none, they can't be read or are too short, or others may read the
            file.
    """
    if not place:
        return ()
    kind, _, name = place.partition(":")
    text = _file_text(Path(name)) if kind == "file" else os.environ.get(name, "")
    lines = [line.strip() for line in text.replace(",", "\n").splitlines()]
    keys = tuple(_key(line, place) for line in lines if line and not line.startswith("#"))
    if not keys:
        raise ConfigError(
            f"pseudonym_keys: got no key in {place}, expected one or more; "
            "`penchant pseudonyms new-key` prints one"
        )
    if len(set(keys)) < len(keys):
        raise ConfigError(f"pseudonym_keys: got a key twice in {place}, expected each once")
    return keys


def new_key() -> str:
    """A random key, as a file holds it."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _file_text(path: Path) -> str:
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigError(
                f"pseudonym_keys: others may read {path}, expected mode 0600; chmod 600 it, and "
                "give the store a new key if somebody may have read it"
            )
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else "it is no text"
        raise ConfigError(f"pseudonym_keys: {path} can't be read: {reason}") from error


def _key(text: str, place: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < KEY_BYTES:
        raise ConfigError(
            f"pseudonym_keys: a key in {place} is no base64 of {KEY_BYTES} bytes or more; "
            "`penchant pseudonyms new-key` prints one"
        )
    return key
