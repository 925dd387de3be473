"""The place of a shipped log: a folder, or any address of fsspec, such as `s3://bucket/log`.

What a place must do: show a file under its name only when it is whole, and list what is there. A
folder gets files by rename after a sync; object stores do it by themselves.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol, cast

import pyarrow as pa
import pyarrow.parquet as pq

from penchant.domain.errors import ConfigError
from penchant.system.durable_file import sync_directory, write_whole
from penchant.system.file_systems import open_file_system, raises_os_errors

_HALF_AN_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/(?!/)")
"""Begins an address of which a slash was forgotten, or one of a store."""


class ShippedPlace(Protocol):
    """Files by relative names such as `date=2026-11-27/part-1.parquet`."""

    url: str

    def write(self, name: str, content: bytes, *, new: bool = False) -> None:
        """Writes a file, whole or not at all; durable when this returns.

        With `new`, raises FileExistsError if the file is there already, whoever wrote it.
        """
        ...

    def read(self, name: str) -> bytes:
        """The content of a file; raises FileNotFoundError."""
        ...

    def opened(self, name: str) -> IO[bytes]:
        """A file to read parts of; raises FileNotFoundError."""
        ...

    def names(self, folder: str = "") -> list[str]:
        """The names of all files in a folder and below it, in order."""
        ...

    def delete(self, name: str) -> None:
        """Removes a file, if it is there."""
        ...


class LocalPlace:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self.url = str(folder)
        self._folder = folder

    def write(self, name: str, content: bytes, *, new: bool = False) -> None:
        """See `ShippedPlace.write`."""
        write_whole(self._folder / name, content, new=new)

    def read(self, name: str) -> bytes:
        """See `ShippedPlace.read`."""
        return (self._folder / name).read_bytes()

    def opened(self, name: str) -> IO[bytes]:
        """See `ShippedPlace.opened`."""
        return (self._folder / name).open("rb")

    def names(self, folder: str = "") -> list[str]:
        """See `ShippedPlace.names`; what a killed process was writing is among them."""
        found = (self._folder / folder).rglob("*")
        return sorted(path.relative_to(self._folder).as_posix() for path in found if path.is_file())

    def delete(self, name: str) -> None:
        """See `ShippedPlace.delete`."""
        path = self._folder / name
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            sync_directory(path.parent)


class RemotePlace:
    """An address of fsspec; whatever its package raises is an OSError here."""

    def __init__(self, url: str, option: str) -> None:
        """Opens the file system of the address.

        Args:
            url: the address.
            option: the option that named it.

        Raises:
            ConfigError: fsspec, or the package of this kind of address, is missing, or the address
                can't be read.
        """
        self._system, self._root = open_file_system(url, option)
        self.url = url

    def write(self, name: str, content: bytes, *, new: bool = False) -> None:
        """See `ShippedPlace.write`; how sure `new` is depends on the kind of address."""
        path = self._path(name)
        with raises_os_errors():
            self._system.makedirs(path.rpartition("/")[0], exist_ok=True)
            if new:
                self._system.pipe_file(path, content, mode="create")
            else:
                self._system.pipe_file(path, content)

    def read(self, name: str) -> bytes:
        """See `ShippedPlace.read`."""
        with raises_os_errors():
            return cast(bytes, self._system.cat_file(self._path(name)))

    def opened(self, name: str) -> IO[bytes]:
        """See `ShippedPlace.opened`."""
        with raises_os_errors():
            return cast(IO[bytes], self._system.open(self._path(name), "rb"))

    def names(self, folder: str = "") -> list[str]:
        """See `ShippedPlace.names`."""
        try:
            with raises_os_errors():
                self._system.invalidate_cache()
                found = self._system.find(self._path(folder) if folder else self._root)
        except FileNotFoundError:
            return []
        skipped = len(self._root) + 1
        return sorted(str(path)[skipped:] for path in found)

    def delete(self, name: str) -> None:
        """See `ShippedPlace.delete`."""
        with suppress(FileNotFoundError), raises_os_errors():
            self._system.rm_file(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


def open_place(url: str, option: str) -> ShippedPlace:
    """Opens a place; a folder need not be there yet.

    Args:
        url: a folder, or an address of fsspec.
        option: the option that named it; begins the message of an error.

    Raises:
        ConfigError: the address can't be read, or names a file, or a package is missing.

    >>> open_place("file:///tmp/log", "--to").url
    '/tmp/log'
    """
    if not url:
        raise ConfigError(
            f"{option}: got none, expected a folder or an address such as s3://bucket"
        )
    folder = folder_of(url)
    if folder is None:
        return RemotePlace(url, option)
    if _HALF_AN_ADDRESS.match(url):
        raise ConfigError(
            f"{option}: got {url!r}, expected an address with :// or a folder; a folder of that "
            f"name is ./{url}"
        )
    if os.path.lexists(folder) and not folder.is_dir():
        raise ConfigError(f"{option}: {folder} is no directory; name another")
    return LocalPlace(folder)


def folder_of(url: str) -> Path | None:
    """The folder of this machine that an address names; None: it is elsewhere.

    >>> folder_of("file:///tmp/log"), folder_of("s3://bucket/log")
    (PosixPath('/tmp/log'), None)
    """
    scheme, separator, path = url.partition("://")
    if separator and scheme != "file":
        return None
    return Path(path if separator else url).absolute()


def read_columns(place: ShippedPlace, name: str, columns: Sequence[str] | None = None) -> pa.Table:
    """Reads some columns of a Parquet file of a place; None: all.

    Raises:
        FileNotFoundError: there is no such file.
        OSError, ValueError: it can't be read, or is damaged.
    """
    with raises_os_errors(pa.ArrowException), place.opened(name) as opened:
        return pq.read_table(opened, columns=None if columns is None else list(columns))
