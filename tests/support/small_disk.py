"""A real, small file system, where this user may mount one."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(place: Path, mebibytes: int) -> Iterator[Path]:
    """Mounts a tmpfs of this size at a new directory; skips the test where that is not allowed."""
    place.mkdir()
    options = f"size={mebibytes}m"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "none", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"needs to mount a small file system: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Leaves no free byte on a disk during the body."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def leaving(disk: Path, free_bytes: int) -> Iterator[None]:
    """Leaves this much space on a disk during the body, at most."""
    ballast = disk / "ballast"
    found = os.statvfs(disk)
    taken = found.f_bavail * found.f_frsize - free_bytes
    with ballast.open("wb") as file:
        if taken > 0:
            os.posix_fallocate(file.fileno(), 0, taken)
    try:
        yield
    finally:
        ballast.unlink()


class Ext4Disk:
    """A small ext4 on a loop device, which can fail as a real one does."""

    def __init__(self, image: Path, place: Path) -> None:
        self._image = image
        self.place = place

    def mount(self) -> None:
        """Mounts it; skips the test where that is not allowed."""
        self.place.mkdir(exist_ok=True)
        mounted = _run("mount", "-o", "loop", str(self._image), str(self.place))
        if mounted.returncode:
            pytest.skip(f"needs to mount a loop device: {mounted.stderr.strip()}")

    def fail(self) -> None:
        """Does what Linux does when the disk below has failed: from now on, nothing is written."""
        assert _run("mount", "-o", "remount,abort", str(self.place)).returncode == 0

    def repair(self) -> None:
        """Checks it, as at a restart of the machine, and mounts it again; nobody may use it."""
        self.unmount()
        assert _run("e2fsck", "-fy", str(self._image)).returncode in (0, 1), "0: sound, 1: repaired"
        self.mount()

    def unmount(self) -> None:
        subprocess.run(["umount", str(self.place)], check=True)


@contextmanager
def ext4_disk(place: Path, mebibytes: int, inodes: int) -> Iterator[Ext4Disk]:
    """Makes and mounts an ext4 of this size; skips the test where that is not allowed."""
    image = place.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(mebibytes << 20)
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("needs mkfs.ext4")
    assert _run("mkfs.ext4", "-q", "-N", str(inodes), str(image)).returncode == 0
    disk = Ext4Disk(image, place)
    disk.mount()
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def without_inodes(disk: Path) -> Iterator[None]:
    """Leaves a disk no room for one more file during the body, however small."""
    names: list[Path] = []
    with contextlib.suppress(OSError):
        while True:
            name = disk / f"empty-{len(names)}"
            name.touch()
            names.append(name)
    try:
        yield
    finally:
        for name in names:
            name.unlink()


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)
