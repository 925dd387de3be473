"""LMDB's data file as it lies on disk: whether it is whole, and the numbers in its meta pages.

LMDB maps its file and trusts it. An empty file is taken for a new store, and a read beyond the end
of a truncated one kills the process; so a file is looked at before LMDB gets it.

The first two pages are meta pages, written in turn; the one with the larger transaction number
counts. After a header of 16 bytes: magic, format, map address, map size, two descriptions of a tree
(48 bytes each; the first begins with the page size), last page, transaction number.
"""

from __future__ import annotations

import importlib
import os
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

from penchant.domain.errors import StoreUnavailable

DATA, LOCK = "data.mdb", "lock.mdb"

_HEADER_BYTES = 16
_META = struct.Struct("<IIQQ48s48sQQ")
_MAGIC, _FORMAT = 0xBEEFC0DE, 1
_NO_PAGE = 2**64 - 1
"""LMDB's number for the root of an empty tree."""
_RESTORE = "restore a backup, or move the directory away to begin an empty store"


class Meta(NamedTuple):
    """A meta page."""

    page_bytes: int
    last_page: int
    transaction: int
    body: bytes


def check_whole(path: Path) -> None:
    """Makes sure that a data file is LMDB's and reaches to its last page.

    Raises:
        StoreUnavailable: the file is empty, truncated or another program's; the text says what
            to do.
        OSError: it cannot be read.
    """
    name = path.name
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            raise StoreUnavailable(
                f"store: got an empty {name} (0 bytes) in {path.parent}, expected LMDB's data; "
                f"{_RESTORE}"
            )
        meta = newest_meta(file.fileno())
        if meta is None:
            raise StoreUnavailable(
                f"store: {name} in {path.parent} does not begin as LMDB's data does; {_RESTORE}"
            )
        size = os.fstat(file.fileno()).st_size  # After the meta pages: files only grow.
    expected = (meta.last_page + 1) * meta.page_bytes
    if size < expected and not _is_sound(path):
        raise StoreUnavailable(
            f"store: {name} in {path.parent} is truncated: got {size} bytes, expected {expected}; "
            f"{_RESTORE}"
        )


def newest_meta(fd: int) -> Meta | None:
    """The meta page that counts; None if there is no valid one."""
    first = _read_meta(fd, 0)
    if first is None:
        return None
    second = _read_meta(fd, first.page_bytes)
    return first if second is None or first.transaction > second.transaction else second


def meta_of(fd: int, transaction: int) -> Meta | None:
    """The meta page of one of the last two transactions; None if it is not there."""
    first = _read_meta(fd, 0)
    if first is None:
        return None
    found = _read_meta(fd, (transaction & 1) * first.page_bytes)
    return found if found is not None and found.transaction == transaction else None


def renumber(fd: int, transaction: int) -> None:
    """Gives a copy of a store the number of the store's last transaction, in both meta pages.

    The processes that have the store open share a lock file, which holds that number: LMDB finds
    the meta page that counts by it, without looking.
    """
    meta = newest_meta(fd)
    if meta is None:
        raise StoreUnavailable("store: the copy does not begin as LMDB's data does")
    put_back(fd, meta.body, transaction)


def put_back(fd: int, body: bytes, transaction: int) -> None:
    """Makes a state of the file the one that counts: its meta page's body goes into both."""
    page_bytes = _parsed(body).page_bytes
    for number in (transaction, transaction - 1):
        os.pwrite(
            fd, body[:-8] + struct.pack("<Q", number), (number & 1) * page_bytes + _HEADER_BYTES
        )


def checksum_of_roots(fd: int, body: bytes) -> int:
    """CRC-32 of the root pages of the two trees that a meta page's body names."""
    _, _, _, _, *trees, _, _ = _META.unpack(body)
    page_bytes, checksum = _parsed(body).page_bytes, 0
    for tree in trees:
        root = int.from_bytes(tree[-8:], "little")
        if root != _NO_PAGE:
            checksum = zlib.crc32(os.pread(fd, page_bytes, root * page_bytes), checksum)
    return checksum


def _read_meta(fd: int, offset: int) -> Meta | None:
    body = os.pread(fd, _META.size, offset + _HEADER_BYTES)
    if len(body) < _META.size:
        return None
    magic, format_, *_ = _META.unpack(body)
    meta = _parsed(body)
    if magic != _MAGIC or format_ != _FORMAT or not 512 <= meta.page_bytes <= 65536:
        return None
    return meta


def _parsed(body: bytes) -> Meta:
    _, _, _, _, first_tree, _, last_page, transaction = _META.unpack(body)
    return Meta(int.from_bytes(first_tree[:4], "little"), last_page, transaction, body)


def _is_sound(path: Path) -> bool:
    """Whether every page in use lies within the file: LMDB does not write last pages that are free.

    Cost: reads the whole file, in the rare case that it ends early.
    """
    try:
        verify = importlib.import_module("lmdb.verify")
    except ModuleNotFoundError:  # Before release 3 of the package lmdb.
        return False
    try:
        return not verify.verify(os.fspath(path), subdir=False)
    except (verify.VerifyError, OSError, ValueError, struct.error):
        return False
