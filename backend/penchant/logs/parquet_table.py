"""Reads Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from penchant.domain.errors import ConfigError
from penchant.logs.cells import printable
from penchant.logs.csv_shape import column_names
from penchant.logs.lost_ids import LOST_IN_PARQUET
from penchant.logs.row_batch import BATCH_ROWS, RowBatch
from penchant.logs.table_file import ColumnFilter, TableFile
from penchant.logs.text_source import open_binary, regular_size

_DAMAGE = (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError)


class ParquetTable(TableFile):
    """A Parquet file; its progress is counted in rows. Only the wanted columns are read.

    The index of pandas has no name here, and is not read.
    """

    def __init__(self, path: Path) -> None:
        """Opens the file and reads its schema.

        Raises:
            ConfigError: it can't be opened, or is no Parquet file.
        """
        self.path, self.warnings = path, []
        if not regular_size(path):
            raise ConfigError(f"file: {path.name} is empty")
        open_binary(path).close()  # For the plain error where it can't be opened.
        try:
            self._file = pq.ParquetFile(path)
            self.size = self._file.metadata.num_rows
            self.names = column_names(self._file.schema_arrow.names)
        except _DAMAGE as error:
            why = _in_one_line(error)
            raise ConfigError(f"file: {path.name} is not a Parquet file: {why}") from error
        self._done = 0

    @property
    def done(self) -> int:
        """Rows."""
        return self._done

    def batches(
        self, wanted: ColumnFilter = lambda name: True, rows: int = BATCH_ROWS
    ) -> Iterator[RowBatch]:
        """See `TableFile.batches`."""
        own = self._file.schema_arrow.names
        named = dict(zip(own, self.names, strict=True))
        columns = [one for one, name in named.items() if name and wanted(name)] or own[:1]
        try:
            for batch in self._file.iter_batches(batch_size=rows, columns=columns):
                numbers = np.arange(self._done + 1, self._done + 1 + batch.num_rows)
                self._done += batch.num_rows
                cells = {
                    name: column
                    for one, column in zip(batch.schema.names, batch.columns, strict=True)
                    if (name := named.get(one))
                }
                yield RowBatch(numbers, None, cells, lost_ids=LOST_IN_PARQUET)
        except _DAMAGE as error:
            raise ConfigError(
                f"file: {self.path.name} is damaged: {_in_one_line(error)}"
            ) from error

    def again(self) -> ParquetTable:
        """See `TableFile.again`."""
        return ParquetTable(self.path)

    def close(self) -> None:
        """See `TableFile.close`."""
        self._file.close()


def _in_one_line(error: BaseException) -> str:
    return printable(" ".join(str(error).split()))[:300] or type(error).__name__
