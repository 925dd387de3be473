"""Releases of servers that share a store: sent by whoever publishes, fetched by who lacks one.

A release's folder travels as one file, named after its id and its encoder's version:

    release.0123456789abcdef.ENCODER-89abcdef.tar        the last part is its CRC-32
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
import shutil
import tarfile
import time
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path

from penchant.domain.errors import EncoderUnavailable
from penchant.encoder.base import Encoder, Encoders
from penchant.encoder.library import MANIFEST
from penchant.system.private_files import make_private
from penchant.system.shared_files import SharedFiles

log = logging.getLogger("penchant")

RETRY_S = 5.0
"""Seconds until an encoder that nobody had is looked for again."""

_NAME = re.compile(r"release\.([0-9a-f]+)\.([0-9a-f]+)-([0-9a-f]{8})\.tar")


class ReleaseShare:
    """The releases of one server, and the place that it shares with others."""

    def __init__(self, shared: SharedFiles, releases: Path) -> None:
        """Sends and fetches nothing yet.

        Args:
            shared: the shared place.
            releases: directory of this server that holds a folder for each release.
        """
        self._shared, self._releases = shared, releases

    def send(self, folder: Path) -> None:
        """Sends a release that the shared place does not hold yet.

        Raises:
            OSError: it can't be read or sent, or is too large for the place.
        """
        version = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["encoder_version"]
        if any(id_ == folder.name for _, id_, _, _ in self._found()):
            return
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w") as archive:
            archive.add(folder, arcname=".")
        packed = content.getvalue()
        name = f"release.{folder.name}.{version}-{zlib.crc32(packed):08x}.tar"
        self._shared.write(name, packed)

    def fetch(self, release: str) -> bool:
        """Fetches a release by its id, unless it is here; returns whether it is here now.

        Raises:
            OSError: the shared place does not answer, or nothing can be written here.
        """
        if (self._releases / release / MANIFEST).is_file():
            return True
        return any(
            self._installed(name, id_, crc) for name, id_, _, crc in self._found() if id_ == release
        )

    def fetch_encoder(self, version: str) -> bool:
        """Fetches a release with an encoder; returns whether one came; raises OSError."""
        return any(
            self._installed(name, id_, crc)
            for name, id_, its_version, crc in self._found()
            if its_version == version
        )

    def keep(self, releases: Collection[str]) -> None:
        """Removes all others from the shared place; a failure is left to the next time."""
        try:
            for name, id_, _, _ in self._found():
                if id_ not in releases:
                    self._shared.remove(name)
        except OSError as error:
            log.warning("releases: old ones can't be removed from the shared place: %s", error)

    def _found(self) -> Iterator[tuple[str, str, str, int]]:
        """Name, id, encoder's version and CRC-32 of each release in the shared place."""
        for name in self._shared.names():
            match = _NAME.fullmatch(name)
            if match is not None:
                yield name, match[1], match[2], int(match[3], 16)

    def _installed(self, name: str, release: str, crc: int) -> bool:
        """Writes a release here, whole or not at all; returns whether it was whole."""
        content = self._shared.read(name)
        if content is None or zlib.crc32(content) != crc:
            return False
        whole = self._releases / release
        partial = self._releases / f".fetching-{release}-{os.getpid()}"
        shutil.rmtree(partial, ignore_errors=True)
        try:
            partial.mkdir(mode=0o700, parents=True)
            with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                archive.extractall(partial, filter="data")
            make_private(partial)
            if not whole.exists():  # Another process of this server may have been faster.
                partial.rename(whole)
        except tarfile.TarError as error:
            raise OSError(f"{name} can't be unpacked: {error}") from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return True


class FetchingEncoders:
    """See `Encoders`; a release's encoder that is not here is fetched from the shared place."""

    def __init__(self, inner: Encoders, share: ReleaseShare) -> None:
        self._inner, self._share = inner, share
        self._missing: dict[str, float] = {}
        """When to look again, by the version that nobody had."""

    @property
    def default(self) -> Encoder:
        """See `Encoders.default`."""
        return self._inner.default

    def of(self, version: str, dimensions: int) -> Encoder:
        """See `Encoders.of`; the first call for a release may wait until it is fetched."""
        try:
            return self._inner.of(version, dimensions)
        except EncoderUnavailable:
            if time.monotonic() < self._missing.get(version, 0.0) or not self._fetched(version):
                raise
        return self._inner.of(version, dimensions)

    def _fetched(self, version: str) -> bool:
        try:
            if self._share.fetch_encoder(version):
                return True
        except OSError as error:
            log.warning("releases: the one with encoder %s can't be fetched: %s", version, error)
        self._missing[version] = time.monotonic() + RETRY_S
        return False
