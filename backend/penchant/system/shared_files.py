"""Whole files under plain names in a place that several machines reach."""

from __future__ import annotations

import threading
from typing import Protocol

from penchant.domain.errors import ConfigError
from penchant.system.optional_package import needs_extra


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
        with needs_extra("catalog_share", "ship"):
            from fsspec.core import url_to_fs
        try:
            self._system, self._folder = url_to_fs(url)
            self._system.makedirs(self._folder, exist_ok=True)
        except (ValueError, ImportError, OSError) as error:
            raise ConfigError(
                f"catalog_share: got {url!r}, expected a URL that fsspec can write to: {error}"
            ) from error

    def write(self, name: str, content: bytes) -> None:
        """See `SharedFiles.write`."""
        self._system.pipe_file(f"{self._folder}/{name}", content)

    def read(self, name: str) -> bytes | None:
        """See `SharedFiles.read`."""
        try:
            content: bytes = self._system.cat_file(f"{self._folder}/{name}")
        except FileNotFoundError:
            return None
        return content

    def names(self) -> list[str]:
        """See `SharedFiles.names`."""
        self._system.invalidate_cache()
        return [
            str(path).rpartition("/")[2] for path in self._system.ls(self._folder, detail=False)
        ]

    def remove(self, name: str) -> None:
        """See `SharedFiles.remove`."""
        try:
            self._system.rm_file(f"{self._folder}/{name}")
        except FileNotFoundError:
            return
