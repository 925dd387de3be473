"""The bytes of a text file in UTF-8, whatever it is packed in or encoded as.

A file is taken for what its first bytes say, not for what its name says.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import shlex
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa

from penchant.domain.errors import ConfigError
from penchant.logs.cells import printable

LINE_BYTES = 8 << 20
"""Longest line; a file without line ends is refused before it fills the memory."""

_BLOCK_BYTES = 1 << 16
_HEAD_BYTES = 1 << 12

_PACKINGS = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd", b"\xfd7zXZ": "xz"}
"""Packings of one file by their first bytes; a zip archive may hold several."""
_ZIP = b"PK\x03\x04"
PARQUET = b"PAR1"

_OTHER_KINDS = {
    b"\xd0\xcf\x11\xe0": "an Excel file; save the sheet as CSV UTF-8",
    b"ARROW1": "an Arrow or Feather file; write it as Parquet",
    b"SQLite format 3": "an SQLite database; export the table as CSV",
    b"\x80\x04": "a Python pickle; write it as Parquet",
    b"\x80\x05": "a Python pickle; write it as Parquet",
    b"%PDF": "a PDF; export the table as CSV",
    b"<?xml": "XML; convert it to JSON lines",
    b"<html": "a web page: was the download an error page?",
    b"<!DOCTYPE": "a web page: was the download an error page?",
    b"version https://git-lfs": "a pointer of Git LFS; fetch the file itself with `git lfs pull`",
}
"""Files that are no table, by their first bytes."""

_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)

_DAMAGE = (
    EOFError,
    OSError,
    RuntimeError,  # An encrypted archive.
    NotImplementedError,
    UnicodeError,
    lzma.LZMAError,
    pa.ArrowException,
    zipfile.BadZipFile,
    zlib.error,
)


class TextSource:
    """An open text file; its lines may be read from the start any number of times.

    Plain, or packed by gzip, bz2, xz, zstd, or alone in a zip archive; in UTF-8 or UTF-16.
    """

    def __init__(self, path: Path) -> None:
        """Opens the file and looks at its first bytes.

        Raises:
            ConfigError: it can't be opened, or is no text.
        """
        self.path = path
        self.size = regular_size(path)
        self._raw = open_binary(path)
        self._stream: Any = None
        try:
            self._packing = self._packed_in()
            self.rewind()
            self.head = self._read(_HEAD_BYTES)
            self._encoding = self._encoded_in()
            self.rewind()
        except BaseException:
            self.close()
            raise

    @property
    def done(self) -> int:
        """Bytes of the file that are read, packed where it is."""
        return self.size if self._ended else min(self._raw.tell(), self.size)

    def rewind(self) -> None:
        """Goes back to the start of the file."""
        self._ended = False
        self._raw.close()  # A stream that unpacks may have closed it too.
        self._raw = open_binary(self.path)
        try:
            self._stream = self._unpacked()
        except _DAMAGE as error:
            raise self._damaged(error) from error

    def close(self) -> None:
        """Closes the file."""
        self._raw.close()

    def lines(self, *, newline_only: bool = False) -> Iterator[bytes]:
        r"""Yields the lines with their ends, in UTF-8.

        Args:
            newline_only: a line ends with `\n` alone; else with `\r\n`, `\n` or `\r`.

        Raises:
            ConfigError: the file is damaged, or a line is longer than `LINE_BYTES`.
        """
        rest, number = b"", 0
        for block in self._blocks():
            block = rest + block
            lines = (
                io.BytesIO(block).readlines() if newline_only else block.splitlines(keepends=True)
            )
            rest = lines.pop() if lines and not block.endswith(b"\n") else b""
            if len(rest) > LINE_BYTES:
                raise ConfigError(
                    f"file: line {number + len(lines) + 1} of {self.path.name} has more than "
                    f"{LINE_BYTES >> 20} MiB, expected a row on each line"
                )
            number += len(lines)
            yield from lines
        if rest:
            yield rest

    def _blocks(self) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(self._encoding)() if self._encoding else None
        while block := self._read(_BLOCK_BYTES):
            yield block if decoder is None else self._in_utf8(decoder, block)
        if decoder is not None:
            yield self._in_utf8(decoder, b"", final=True)
        self._ended = True

    def _in_utf8(self, decoder: Any, block: bytes, *, final: bool = False) -> bytes:
        try:
            return cast(str, decoder.decode(block, final)).encode()
        except UnicodeError as error:
            raise self._damaged(error) from error

    def _read(self, size: int) -> bytes:
        try:
            return cast(bytes, self._stream.read(size))
        except _DAMAGE as error:
            raise self._damaged(error) from error

    def _damaged(self, error: BaseException) -> ConfigError:
        why = printable(" ".join(str(error).split())) or type(error).__name__
        return ConfigError(f"file: {self.path.name} is damaged: {why}")

    def _packed_in(self) -> str:
        start = self._raw.read(16)
        if start.startswith(_ZIP):
            return "zip"
        return next((name for magic, name in _PACKINGS.items() if start.startswith(magic)), "")

    def _unpacked(self) -> Any:
        if self._packing == "gzip":
            return gzip.GzipFile(fileobj=self._raw)
        if self._packing == "bz2":
            return bz2.BZ2File(self._raw)
        if self._packing == "xz":
            return lzma.LZMAFile(self._raw)
        if self._packing == "zstd":
            return pa.CompressedInputStream(pa.PythonFile(self._raw, "r"), "zstd")
        if self._packing == "zip":
            return self._only_member()
        return self._raw

    def _only_member(self) -> Any:
        archive = zipfile.ZipFile(self._raw)
        names = [name for name in archive.namelist() if not name.endswith("/")]
        names = [name for name in names if not name.startswith("__MACOSX/")] or names
        if "[Content_Types].xml" in names:
            raise ConfigError(
                f"file: {self.path.name} is an Excel file; save the sheet as CSV UTF-8"
            )
        if len(names) != 1:
            listed = ", ".join(map(printable, names[:10])) + (", ..." if len(names) > 10 else "")
            raise ConfigError(
                f"file: {self.path.name} is a zip archive of {len(names)} files, expected one: "
                f"{listed or 'none'}; unpack it, and name the one to read"
            )
        return archive.open(names[0])

    def _encoded_in(self) -> str:
        """Returns the encoding to convert from; empty: UTF-8, or something close to it."""
        name, head = self.path.name, self.head
        if not head:
            return ""  # A file without a row.
        if head.startswith(PARQUET):
            raise ConfigError(f"file: {name} is a packed Parquet file; unpack it")
        for magic, what in _OTHER_KINDS.items():
            if head.startswith(magic):
                raise ConfigError(f"file: {name} is {what}")
        if head.startswith(_UTF_32):
            raise ConfigError(
                f"file: {name} is in UTF-32, expected UTF-8; convert it: "
                f"iconv -f UTF-32 -t UTF-8 {shlex.quote(name)}"
            )
        for mark, encoding in _UTF_16.items():
            if head.startswith(mark):
                return encoding
        for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
            zeros = head[first::2].count(0)
            if zeros > 0.8 * len(head[first::2]) and head[1 - first :: 2].count(0) == 0:
                return encoding
        return ""


def regular_size(path: Path) -> int:
    """Returns a file's size in bytes.

    Raises:
        ConfigError: there is none, or it is a directory, a pipe or a device.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise _not_opened(path, error) from error
    if stat.S_ISDIR(status.st_mode):
        raise ConfigError(f"file: {path} is a directory, expected a file{_parts_hint(path)}")
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(f"file: {path} is a pipe or a device, expected a file; write it to disk")
    return status.st_size


def open_binary(path: Path) -> BinaryIO:
    """Opens a file for reading.

    Raises:
        ConfigError: it can't be opened.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise _not_opened(path, error) from error


def _parts_hint(directory: Path) -> str:
    """Says how to join the parts of a table, as Spark writes them; empty: there are none."""
    parts = (one for one in directory.rglob("*") if one.is_file() and one.name[:1] not in "._")
    first = next(parts, None)
    if first is None:
        return ""
    hint = f"; it holds {printable(str(first.relative_to(directory)))}"
    if first.suffix != ".parquet":
        return hint + " among others: name one file"
    whole = f"pandas.read_parquet({str(directory)!r}).to_parquet('whole.parquet')"
    return f"{hint}; make one file of its parts, in Python: {whole}"


def conversion(name: str) -> str:
    """Says how to convert a file that is not in UTF-8."""
    command = f"iconv -f CP1252 -t UTF-8 {shlex.quote(name)}"
    return f"convert the file, from Windows' code page: {command}"


def _not_opened(path: Path, error: OSError) -> ConfigError:
    return ConfigError(f"file: {path} can't be opened: {error.strerror or error}")
