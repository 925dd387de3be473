"""What every file of rows offers, whatever its format: batches of rows, progress, column names."""

from __future__ import annotations

import gzip
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Self, cast

from penchant.domain.errors import ConfigError
from penchant.logs.row_batch import BATCH_ROWS, RowBatch

_GZIP = b"\x1f\x8b"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")

ColumnFilter = Callable[[str], bool]
"""Whether a column is to be read, by its name."""


class TableFile(ABC):
    """An open file of rows; use as a context manager."""

    size: int
    """Amount to read: bytes of a text file, rows of a Parquet file."""
    names: Sequence[str]
    """Names of the columns; of JSON lines, those of the first readable row."""

    @property
    @abstractmethod
    def done(self) -> int:
        """Amount read so far, 0 to `size`."""

    @abstractmethod
    def batches(
        self, wanted: ColumnFilter = lambda name: True, rows: int = BATCH_ROWS
    ) -> Iterator[RowBatch]:
        """Yields all rows in order, once.

        Args:
            wanted: selects the columns of the batches.
            rows: most rows in a batch.

        Raises:
            ConfigError: the file is damaged.
        """

    @abstractmethod
    def close(self) -> None:
        """Closes the file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class TextFile(TableFile):
    """A file of lines in UTF-8, gzipped or not; its progress is counted in bytes."""

    def __init__(self, path: Path) -> None:
        self.size = path.stat().st_size
        self.path = path
        self._raw = path.open("rb")
        zipped = self._raw.read(2) == _GZIP
        self._raw.seek(0)
        self._file: BinaryIO = self._raw
        if zipped:
            self._file = cast(BinaryIO, gzip.GzipFile(fileobj=self._raw))
        try:
            if next(self._lines(), b"").startswith(_UTF_16):
                raise ConfigError(f"file: {path.name} is in UTF-16, expected UTF-8")
            self._file.seek(0)
            self.names = self._read_names()
        except BaseException:
            self.close()
            raise

    @abstractmethod
    def _read_names(self) -> Sequence[str]:
        """Reads the names of the columns; leaves the file where the rows are read from."""

    @property
    def done(self) -> int:
        """Bytes of the file, compressed where it is."""
        return self._raw.tell()

    def close(self) -> None:
        """See `TableFile.close`."""
        self._file.close()
        self._raw.close()

    def _lines(self) -> Iterator[bytes]:
        """Returns the lines from the present place on, with their line ends."""
        return iter(self._file) if self._file is self._raw else self._unzipped_lines()

    def _unzipped_lines(self) -> Iterator[bytes]:
        try:
            yield from iter(self._file.readline, b"")  # The file would close with the generator.
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ConfigError(f"file: {self.path.name} is damaged: {error}") from error
