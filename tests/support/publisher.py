"""A process that publishes a release and kills itself at a step, for the crash tests.

python -m tests.support.publisher DIRECTORY RELEASE STEP

The directory holds `store`, `catalog`, `releases`, the configured encoder in `first`, and the
release to publish in `built/RELEASE`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

from penchant.domain.types import Matrix
from penchant.releases import switch
from penchant.releases.publish import PublishRequest, publish
from tests.support.released import load_words
from tests.support.watched_encoder import WatchedEncoder

INSTALLING, IN_THE_MIDST_OF_TEXTS = "installing", "in the midst of the texts"
WINDOW_EVENTS = 16
"""Window of the server's settings, smaller than the number of events in a test."""


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Dying(WatchedEncoder):
    """Dies at its second batch of texts."""

    def encode(self, texts: Sequence[str]) -> Matrix:
        if self.encoded and texts:
            die()
        return super().encode(texts)


def load_dying(directory: Path) -> WatchedEncoder:
    words = load_words(directory)
    return Dying(words.version, words.dimensions)


def main() -> None:
    directory, release, at_step = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

    def on_step(step: str, done: float) -> None:
        if step == at_step:
            die()

    if at_step == INSTALLING:
        mock.patch.object(Path, "rename", side_effect=die).start()
    switch.BATCH_TEXTS = 4
    request = PublishRequest(
        str(directory / "built" / release),
        store=f"lmdb:{directory / 'store'}",
        settings=(
            f"catalog_dir={directory / 'catalog'}",
            f"releases_dir={directory / 'releases'}",
            f"window_events={WINDOW_EVENTS}",
        ),
        encoder=directory / "first",
        no_gate=True,
    )
    load = load_dying if at_step == IN_THE_MIDST_OF_TEXTS else load_words
    publish(request, on_step, load=load)


if __name__ == "__main__":
    main()
