"""What every file of rows offers, whatever its format: batches of rows, progress, column names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Self

from penchant.logs.row_batch import BATCH_ROWS, RowBatch
from penchant.logs.text_source import TextSource

ColumnFilter = Callable[[str], bool]
"""Whether a column is to be read, by its name."""


class TableFile(ABC):
    """An open file of rows; use as a context manager."""

    path: Path
    size: int
    """Amount to read: bytes of a text file, rows of a Parquet file."""
    names: Sequence[str]
    """Names of the columns; of JSON lines, those of the first readable row. One without a name is
    not read."""
    has_separators = False
    """Whether something separates the fields of a row, of which another may be taken for it."""
    first_row_is_data = False
    """Whether the file has no heading; then the columns are named by their places, from 1."""
    warnings: list[str]
    """What was read in a way that a person should know; grows while the file is read."""

    @property
    @abstractmethod
    def done(self) -> int:
        """Amount read so far, 0 to `size`."""

    @property
    def open_quotes(self) -> int:
        """Rows so far that opened a quote and did not close it; their file is to be mended."""
        return 0

    def names_so_far(self) -> Iterator[Collection[str]]:
        """Yields the names of the columns; where rows differ, those of ever more rows."""
        yield self.names

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
    def again(self) -> TableFile:
        """Opens the file once more, in the same way, before its first row."""

    @abstractmethod
    def close(self) -> None:
        """Closes the file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class TextFile(TableFile):
    """A file of lines of text; its progress is counted in bytes."""

    def __init__(self, source: TextSource) -> None:
        """Reads the names of the columns; closes the source where that fails."""
        self.source = source
        self.path, self.size = source.path, source.size
        self.warnings = []
        try:
            self.names = self._read_names()
        except BaseException:
            self.close()
            raise

    @abstractmethod
    def _read_names(self) -> Sequence[str]:
        """Reads the names of the columns; leaves the file where the rows are read from."""

    @property
    def done(self) -> int:
        """Bytes of the file, packed where it is."""
        return self.source.done

    def close(self) -> None:
        """See `TableFile.close`."""
        self.source.close()
