"""Reads Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from penchant.domain.errors import ConfigError
from penchant.logs.row_batch import BATCH_ROWS, RowBatch
from penchant.logs.table_file import ColumnFilter, TableFile


class ParquetTable(TableFile):
    """A Parquet file; its progress is counted in rows. Only the wanted columns are read."""

    def __init__(self, path: Path) -> None:
        with path.open("rb"):
            pass  # For the plain error where there is no such file.
        try:
            self._file = pq.ParquetFile(path)
        except pa.ArrowException as error:
            raise ConfigError(f"file: {path.name} is not a Parquet file: {error}") from error
        self.path = path
        self.size = self._file.metadata.num_rows
        self.names = list(self._file.schema_arrow.names)
        self._done = 0

    @property
    def done(self) -> int:
        """Rows."""
        return self._done

    def batches(
        self, wanted: ColumnFilter = lambda name: True, rows: int = BATCH_ROWS
    ) -> Iterator[RowBatch]:
        """See `TableFile.batches`."""
        columns = [name for name in self.names if wanted(name)] or self.names[:1]
        try:
            for batch in self._file.iter_batches(batch_size=rows, columns=columns):
                numbers = np.arange(self._done + 1, self._done + 1 + batch.num_rows)
                self._done += batch.num_rows
                cells = dict(zip(batch.schema.names, batch.columns, strict=True))
                yield RowBatch(numbers, None, cells)
        except (pa.ArrowException, OSError) as error:
            raise ConfigError(f"file: {self.path.name} is damaged: {error}") from error

    def close(self) -> None:
        """See `TableFile.close`."""
        self._file.close()
