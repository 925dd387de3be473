"""A disk that remembers what was written and what was synced, and can lose power at any moment.

A library that is loaded before all others records each write below a directory, and each sync.
`RecordedDisk.cut` makes the directory as it may look after a power cut: what was synced is there;
of everything else, each sector of 512 bytes has any of the contents that it was given since.
"""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest

SECTOR = 512
ACKS = "acks"
"""What is appended to this file is known to others: an acknowledgement."""

_RECORD = struct.Struct("<cxHIQQ")
_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static int trace = -1;

/* The name of a file right below the recorded directory. */
static int named(int fd, char *name) {
    char link[64], path[4096];
    const char *directory = getenv("RECORDED");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0 || !directory) return 0;
    path[n] = 0;
    size_t length = strlen(directory);
    if (strncmp(path, directory, length) || path[length] != '/') return 0;
    strcpy(name, path + length + 1);
    return 1;
}
static void note(char kind, const char *name, uint64_t offset, const struct iovec *parts, int n) {
    struct { char kind, zero; uint16_t name; uint32_t size; uint64_t offset, thread; } head = {
        kind, 0, strlen(name), 0, offset, (uint64_t)syscall(SYS_gettid)};
    struct iovec all[1100] = {{&head, sizeof head}, {(void *)name, head.name}};
    for (int i = 0; i < n; i++) { all[i + 2] = parts[i]; head.size += parts[i].iov_len; }
    if (trace < 0) trace = open(getenv("TRACE"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (syscall(SYS_writev, trace, all, n + 2) < 0) abort();
}
static void written(int fd, const char *name, off_t at, const struct iovec *parts, int n) {
    note('W', name, at, parts, n);
    if (fcntl(fd, F_GETFL) & O_DSYNC) { note('B', name, 0, 0, 0); note('E', name, 0, 0, 0); }
}
#define WRITE(call, count_of_parts, its_parts)                     \
    char name[4096];                                               \
    if (!named(fd, name)) return call;                             \
    pthread_mutex_lock(&turn);                                     \
    ssize_t done = call;                                           \
    if (done >= 0) written(fd, name, offset, its_parts, count_of_parts); \
    pthread_mutex_unlock(&turn);                                   \
    return done;

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t offset) {
    struct iovec part = {(void *)bytes, count};
    WRITE(syscall(SYS_pwrite64, fd, bytes, count, offset), 1, &part)
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    return pwrite64(fd, bytes, count, offset);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int n, off_t offset) {
    WRITE(syscall(SYS_pwritev, fd, parts, n, offset, 0), n, parts)
}
ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t offset) {
    return pwritev64(fd, parts, n, offset);
}
ssize_t writev(int fd, const struct iovec *parts, int n) {
    off_t offset = lseek(fd, 0, SEEK_CUR);
    WRITE(syscall(SYS_writev, fd, parts, n), n, parts)
}
ssize_t write(int fd, const void *bytes, size_t count) {
    struct iovec part = {(void *)bytes, count};
    off_t offset = lseek(fd, 0, SEEK_CUR);
    WRITE(syscall(SYS_write, fd, bytes, count), 1, &part)
}
int ftruncate64(int fd, off_t offset) {
    char name[4096];
    int known = named(fd, name), done = syscall(SYS_ftruncate, fd, offset);
    if (!done && known) note('T', name, offset, 0, 0);
    return done;
}
int ftruncate(int fd, off_t offset) { return ftruncate64(fd, offset); }
static int synced(int fd, long call) {
    char name[4096];
    int known = named(fd, name);
    if (known) note('B', name, 0, 0, 0);
    int done = syscall(call, fd);
    if (!done && known) note('E', name, 0, 0, 0);
    return done;
}
int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }
"""


class _Step(NamedTuple):
    """What was done to a file: W(rite), T(runcate), B(egin of a sync), E(nd of one)."""

    kind: bytes
    name: str
    offset: int
    thread: int
    content: bytes


@dataclass
class _CutFile:
    """A file: what is on the disk for sure, and what may be."""

    sectors: dict[int, bytes] = field(default_factory=dict)
    size: int = 0
    newest: dict[int, bytes] = field(default_factory=dict)
    newest_size: int = 0
    pending: list[tuple[int, int, bytes]] = field(default_factory=list)
    """Step, sector, content."""
    pending_sizes: list[tuple[int, int]] = field(default_factory=list)

    def begin(self, content: bytes) -> None:
        self.size = self.newest_size = len(content)
        for place in range(0, len(content), SECTOR):
            self.sectors[place // SECTOR] = content[place : place + SECTOR].ljust(SECTOR, b"\0")
        self.newest = dict(self.sectors)

    def write(self, step: int, offset: int, content: bytes) -> None:
        end = offset + len(content)
        for sector in range(offset // SECTOR, -(-end // SECTOR)):
            first = sector * SECTOR
            old = self.newest.get(sector, bytes(SECTOR))
            start, stop = max(offset, first), min(end, first + SECTOR)
            new = old[: start - first] + content[start - offset : stop - offset]
            new += old[stop - first :]
            self.newest[sector] = new
            self.pending.append((step, sector, new))
        if end > self.newest_size:
            self.resize(step, end)

    def resize(self, step: int, size: int) -> None:
        self.newest_size = size
        self.pending_sizes.append((step, size))

    def sync(self, begun: int) -> None:
        self.sectors |= {sector: new for step, sector, new in self.pending if step < begun}
        self.pending = [one for one in self.pending if one[0] >= begun]
        for step, size in self.pending_sizes:
            self.size = size if step < begun else self.size
        self.pending_sizes = [one for one in self.pending_sizes if one[0] >= begun]

    def after_cut(self, dice: random.Random, share: float) -> bytes:
        """The content: each pending write reached the disk with this chance."""
        sectors, size = dict(self.sectors), self.size
        for _, sector, new in self.pending:
            if dice.random() < share:
                sectors[sector] = new
        for _, size_then in self.pending_sizes:
            if dice.random() < share:
                size = size_then
        content = bytearray(size)
        for sector, new in sectors.items():
            at = sector * SECTOR
            if at < size:
                content[at : at + SECTOR] = new[: size - at]
        return bytes(content)


class RecordedDisk:
    """The record of a directory's files."""

    def __init__(self, directory: Path, place: Path) -> None:
        """Takes the files as they are now for synced.

        Args:
            directory: of the files.
            place: an empty directory for the record and the library; skips the test without gcc.
        """
        if shutil.which("gcc") is None:
            pytest.skip("needs gcc, to record what is written")
        self._trace = place / "trace"
        self._begun = {
            path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()
        }
        source, library = place / "recorder.c", place / "recorder.so"
        source.write_text(_SOURCE, encoding="utf-8")
        command = ["gcc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-lpthread"]
        subprocess.run(command, check=True)
        self.environment = os.environ | {
            "LD_PRELOAD": os.fspath(library),
            "RECORDED": os.fspath(directory),
            "TRACE": os.fspath(self._trace),
        }

    def steps(self) -> list[_Step]:
        """All steps so far."""
        content, found, place = self._trace.read_bytes(), [], 0
        while place < len(content):
            kind, name_bytes, size, offset, thread = _RECORD.unpack_from(content, place)
            place += _RECORD.size
            name = content[place : place + name_bytes].decode()
            place += name_bytes
            found.append(_Step(kind, name, offset, thread, content[place : place + size]))
            place += size
        return found

    def cut(
        self, steps: list[_Step], target: Path, dice: random.Random, shares: dict[str, float]
    ) -> list[bytes]:
        """Writes the files after a cut behind these steps; returns what was acknowledged by then.

        Args:
            steps: the first of `steps()`.
            target: a new directory.
            dice: say what has reached the disk, of what was not synced.
            shares: the chance of a write to a file by its name; under "", that of all others.
        """
        files: dict[str, _CutFile] = defaultdict(_CutFile)
        for name, content in self._begun.items():
            files[name].begin(content)
        begun: dict[tuple[int, str], int] = {}
        acked = []
        for number, step in enumerate(steps):
            file = files[step.name]
            if step.name == ACKS and step.kind == b"W":
                acked.append(step.content)
            elif step.kind == b"W":
                file.write(number, step.offset, step.content)
            elif step.kind == b"T":
                file.resize(number, step.offset)
            elif step.kind == b"B":
                begun[step.thread, step.name] = number
            else:
                file.sync(begun.pop((step.thread, step.name)))
        target.mkdir()
        for name, file in files.items():
            if name != ACKS:
                share = shares.get(name, shares[""])
                (target / name).write_bytes(file.after_cut(dice, share))
        return acked
