"""The secret that a server's own processes share: models, and the health check above them.

It stands in the store's directory, readable by the server's user alone, and gives no access to
anybody's data: its holder may make health checks, and have texts encoded.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from penchant.domain.errors import StoreUnavailable
from penchant.system.os_error_reason import reason_of

NAME = "server-secret"


def server_secret(store_directory: Path | None) -> str:
    """The secret of the server of a store, made by whoever asks first.

    Args:
        store_directory: created if missing; None, for a store in memory: a secret of this process.

    Raises:
        StoreUnavailable: the directory can't be written.
    """
    if store_directory is None:
        return secrets.token_hex(32)
    path = store_directory / NAME
    try:
        with suppress(FileNotFoundError):
            return _read(path)
        store_directory.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{NAME}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        try:
            with suppress(FileExistsError):  # Another process was first.
                os.link(fresh, path)
        finally:
            fresh.unlink()
        return _read(path)
    except OSError as error:
        raise StoreUnavailable(f"store: {NAME} can't be written: {reason_of(error)}") from error


def _read(path: Path) -> str:
    # What is no text is damaged, too.
    text = path.read_bytes().strip().decode("ascii", errors="ignore")
    if len(text) < 64:
        raise StoreUnavailable(f"store: {NAME} is damaged; delete it and start the server again")
    return text
