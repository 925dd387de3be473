"""Rows of the catalog's place that every call reads, kept under the version of the place."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

_MOST_ROWS = 4096
_LONGEST = 64 << 10
"""Bytes of a row that is kept, at most."""

_Page = list[tuple[bytes, bytes]]


class KeptCatalog:
    """One for all snapshots of a process; what is kept is thrown away at each new version."""

    def __init__(self) -> None:
        """Keeps nothing yet."""
        self.version: bytes | None = None
        self._rows: dict[bytes, bytes | None] = {}
        self._pages: dict[bytes, _Page] = {}
        self._changing = threading.Lock()

    def rows_of(self, names: Iterable[bytes]) -> tuple[bytes | None, dict[bytes, bytes | None]]:
        """The version, and those of some rows that are kept for it."""
        with self._changing:
            rows = self._rows
            return self.version, {name: rows[name] for name in names if name in rows}

    def keep(self, version: bytes, rows: Mapping[bytes, bytes | None]) -> None:
        """Keeps rows as of a version."""
        with self._changing:
            self._renew(version)
            for name, value in rows.items():
                if len(self._rows) < _MOST_ROWS and (value is None or len(value) <= _LONGEST):
                    self._rows[name] = value

    def page_of(self, version: bytes, question: bytes) -> _Page | None:
        """The page that a scan began with, if it is kept for this version."""
        with self._changing:
            return self._pages.get(question) if self.version == version else None

    def keep_page(self, version: bytes, question: bytes, page: _Page) -> None:
        """Keeps the page that a scan begins with."""
        if sum(len(value) for _, value in page) > _LONGEST:
            return
        with self._changing:
            self._renew(version)
            if len(self._pages) < _MOST_ROWS:
                self._pages[question] = page

    def _renew(self, version: bytes) -> None:
        if self.version != version:
            self.version, self._rows, self._pages = version, {}, {}
