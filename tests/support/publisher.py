"""A process that publishes a release and kills itself at a step; started by the crash tests.

python -m tests.support.publisher DIRECTORY RELEASE STEP
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from penchant.domain.types import Matrix
from penchant.releases import publish
from penchant.releases.publish import install_release, publish_release, target_of
from penchant.store.lmdb import LmdbStore
from tests.support.feeder import MAP_BYTES, config_of
from tests.support.released import load_words
from tests.support.watched_encoder import WatchedEncoder
from tests.support.world import NOW_US

INSTALLING, IN_THE_MIDST_OF_TEXTS = "installing", "in the midst of the texts"


def die() -> None:
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

    def on_step(step: str) -> None:
        if step == at_step:
            die()

    if at_step == INSTALLING:
        Path.rename = lambda *_: die()  # type: ignore[method-assign, assignment]
    load = load_dying if at_step == IN_THE_MIDST_OF_TEXTS else load_words
    folder = install_release(directory / "built" / release, directory / "releases")
    publish.TEXTS = 4
    store = LmdbStore(directory / "store", map_bytes=MAP_BYTES)
    target = target_of(folder, "publish", load)
    config = config_of(directory)
    publish_release(store, directory / "catalog", config, target, on_step, lambda: NOW_US)
    store.close()


if __name__ == "__main__":
    main()
