"""Directories that appear under their name only once they are complete."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.system.apart import check_not_read


@contextmanager
def whole_directory(path: Path) -> Iterator[Path]:
    """Opens an empty directory for writing and renames it to `path` once the body ends.

    A directory already at `path` is replaced. If the body raises, that directory stays and the new
    one is removed. What a killed process has left of earlier ones is removed. Missing parent
    directories are created.

    Raises:
        ConfigError: the directory can't be made there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        place = tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent)
    except OSError as error:
        raise ConfigError(f"{path} can't be made: {error.strerror or error}") from error
    with place as temporary, _locked(Path(temporary)):
        _remove_leftovers(path)
        made = Path(temporary) / "new"
        made.mkdir()
        yield made
        if path.exists():
            path.replace(Path(temporary) / "old")
        made.replace(path)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Holds a lock on a directory, which says that its process lives."""
    fd = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # Not every file system has locks.
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(fd)


def _remove_leftovers(path: Path) -> None:
    """Removes temporary directories for a path whose process has ended."""
    for left in path.parent.glob(f".{glob.escape(path.name)}-????????"):
        inside = {one.name for one in left.iterdir()} if left.is_dir() else {"another program's"}
        if not inside or not inside <= {"new", "old"}:
            continue  # Perhaps one that is just being made.
        with contextlib.suppress(OSError):
            fd = os.open(left, os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(fd)


def check_replaceable(
    output: Path, marker: str, kind: str, reads: Iterable[Path | None] = ()
) -> None:
    """Makes sure that writing to `output` would overwrite nothing but the product of the same job.

    Args:
        output: directory to write; may be missing or empty.
        marker: file that every such product holds.
        kind: the product with its article, as in "an encoder".
        reads: what the job reads, which the output may not replace; None: something not given.

    Raises:
        ConfigError: `output` is a file, a directory that holds other things or something of
            `reads`, or in a place where none can be made.
    """
    check_not_read(output, "output", reads)
    empty = output.is_dir() and not any(output.iterdir())
    if output.exists() and not empty and not (output / marker).is_file():
        raise ConfigError(f"output: {output} holds something other than {kind}")
    check_makeable(output)


def check_makeable(output: Path) -> None:
    """Makes sure, before the work, that files can be written to a directory, which may be missing.

    Raises:
        ConfigError: `output` is a file, or a directory can't be made or written to there.
    """
    if os.path.lexists(output) and not output.is_dir():
        raise ConfigError(f"output: {output} is no directory; name another, or move it away")
    if output.is_dir():
        if not os.access(output, os.W_OK | os.X_OK):
            raise ConfigError(f"output: {output} can't be written to; name another directory")
        return
    above = next(one for one in output.absolute().parents if one.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise ConfigError(f"output: {output} can't be made: {above} is no directory to write to")
