"""Whole files under plain names in a place that several machines reach."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Protocol

from penchant.system.file_systems import open_file_system, raises_os_errors, refused_address


class SharedFiles(Protocol):
    """Files that are written once and never changed; whoever reads one checks it. Thread-safe."""

    def write(self, name: str, content: bytes) -> None:
        """Writes a file; raises OSError."""
        ...

    def read(self, name: str) -> bytes | None:
        """The content of a file, or None; raises OSError."""
        ...

    def names(self) -> list[str]:
        """The names of all files; raises OSError."""
        ...

    def remove(self, name: str) -> None:
        """Removes a file, if it is there; raises OSError."""
        ...


class MemoryFiles:
    """Files in the memory of one process, for tests; see `SharedFiles`."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def write(self, name: str, content: bytes) -> None:
        """See `SharedFiles.write`."""
        with self._lock:
            self._files[name] = content

    def read(self, name: str) -> bytes | None:
        """See `SharedFiles.read`."""
        return self._files.get(name)

    def names(self) -> list[str]:
        """See `SharedFiles.names`."""
        with self._lock:
            return list(self._files)

    def remove(self, name: str) -> None:
        """See `SharedFiles.remove`."""
        with self._lock:
            self._files.pop(name, None)


class UrlFiles:
    """Files in a folder that fsspec reaches; see `SharedFiles`."""

    def __init__(self, url: str) -> None:
        """Opens the folder, and makes it if it is missing.

        Args:
            url: as in `s3://bucket/path` or `file:///mnt/shared`.

        Raises:
            ConfigError: fsspec, or what it needs for this kind of URL, is not installed; or the
                folder can't be made.
        """
        self._system, self._folder = open_file_system(url, "catalog_share")
        try:
            self._system.makedirs(self._folder, exist_ok=True)
        except Exception as error:  # Any package's own.
            raise refused_address(url, "catalog_share", error) from error

    def write(self, name: str, content: bytes) -> None:
        """See `SharedFiles.write`."""
        with raises_os_errors():
            self._system.pipe_file(f"{self._folder}/{name}", content)

    def read(self, name: str) -> bytes | None:
        """See `SharedFiles.read`."""
        try:
            with raises_os_errors():
                content: bytes = self._system.cat_file(f"{self._folder}/{name}")
        except FileNotFoundError:
            return None
        return content

    def names(self) -> list[str]:
        """See `SharedFiles.names`."""
        try:
            with raises_os_errors():
                self._system.invalidate_cache()
                found = self._system.ls(self._folder, detail=False)
        except FileNotFoundError:  # An object store has no empty folders.
            return []
        return [str(path).rpartition("/")[2] for path in found]

    def remove(self, name: str) -> None:
        """See `SharedFiles.remove`."""
        with suppress(FileNotFoundError), raises_os_errors():
            self._system.rm_file(f"{self._folder}/{name}")
