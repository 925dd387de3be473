"""Files that appear under their final name only when they are complete."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def whole_file(
    path: Path, *, private: bool = False, new: bool = False, synced: bool = True
) -> Iterator[IO[bytes]]:
    """Opens a temporary file for writing, and renames it to `path` once the body has ended.

    The content is synced before the rename, so a crash leaves the previous file, or none. If the
    body raises, the previous file stays and the temporary one is removed. Missing parent
    directories are created. A pipe or a device, such as /dev/null, is written to as it is: a rename
    would put a file in its place.

    Args:
        path: the file's final name.
        private: whether the file, and its directory if missing, are for this user alone, whatever
            the umask.
        new: whether to raise FileExistsError, at the end, if the file is there already.
        synced: False for a file whose readers compare it with what it should be.
    """
    if is_pipe_or_device(path):
        if new or path.is_block_device():  # A disk.
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(path))
        with _opened(path) as file:
            yield file
        return
    path.parent.mkdir(mode=0o700 if private else 0o777, parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(partial, flags, 0o600 if private else 0o666), "wb") as file:
            yield file
            if synced:
                file.flush()
                os.fsync(file.fileno())
        if new:
            os.link(partial, path)
        else:
            partial.replace(path)
        if synced:
            sync_directory(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def is_pipe_or_device(path: Path) -> bool:
    """Whether a path is no file to replace: a pipe, a device, or a link of the system to a file.

    >>> [is_pipe_or_device(Path(path)) for path in ("/dev/null", "/", "/no/such")]
    [True, False, False]
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    of_system = path.is_symlink() and path.absolute().parts[1:2] in (("dev",), ("proc",))
    return of_system or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _opened(path: Path) -> IO[bytes]:
    """Opens a pipe or a device; a stream of this process as it is, so that nothing is cut off."""
    link = path
    for _ in range(3):  # /dev/stdout, /proc/self/fd/1: where that leads is not followed.
        if link.parent.resolve() == Path(f"/proc/{os.getpid()}/fd") and link.name.isdecimal():
            return os.fdopen(os.dup(int(link.name)), "wb")
        if not link.is_symlink():
            break
        link = link.parent / link.readlink()
    return path.open("wb")


def write_whole(path: Path, content: bytes | str, *, new: bool = False) -> None:
    """Writes a file completely or not at all; text is encoded as UTF-8.

    Bytes of a file's name that are not UTF-8 are written as escapes, so that a report whose command
    line names such a file is written too. With `new`, raises FileExistsError if the file is there.
    """
    with whole_file(path, new=new) as file:
        file.write(
            content.encode(errors="backslashreplace") if isinstance(content, str) else content
        )


def sync_directory(path: Path) -> None:
    """Syncs a directory, so that the names of files in it outlive a power cut."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
