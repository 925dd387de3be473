"""A process that has an LMDB store open and does what its standard input says, a line at a time.

put KEY VALUE      commits; answers `done`, or the error
get KEY            answers the value
churn              commits again and again, each after 20 ms, until the next line
hold               begins a transaction, answers `held`, and keeps it until the next line
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from penchant.domain.errors import PenchantError
from penchant.store.lmdb import LmdbStore

ROOT = Path(__file__).resolve().parents[2]
MAP_BYTES = 64 << 20


class Storekeeper:
    """The process, seen from the test."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = process.pid

    def ask(self, line: str) -> str:
        """Sends a line and returns the answer."""
        self.send(line)
        return self.answer()

    def send(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")


@contextmanager
def storekeeper(
    directory: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Storekeeper]:
    """Runs the process; kills it after the body."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.storekeeper", str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        | dict(environment or {}),
    ) as process:
        try:
            keeper = Storekeeper(process)
            assert keeper.answer() == "open"
            yield keeper
        finally:
            process.kill()


def _answer(store: LmdbStore, words: list[str]) -> str:
    if words[0] == "put":
        with store.transaction() as transaction:
            transaction.put(words[1].encode(), words[2].encode())
        return "done"
    if words[0] == "hold":
        with store.transaction():
            print("held", flush=True)
            sys.stdin.readline()
        return "done"
    if words[0] == "churn":
        print("churning", flush=True)
        while not select.select([sys.stdin], [], [], 0)[0]:
            with store.transaction():
                time.sleep(0.02)
        sys.stdin.readline()
        return "done"
    with store.snapshot() as snapshot:
        return (snapshot.get(words[1].encode()) or b"").decode()


def main() -> None:
    store = LmdbStore(Path(sys.argv[1]), map_bytes=MAP_BYTES)
    print("open", flush=True)
    for line in iter(sys.stdin.readline, ""):
        try:
            print(_answer(store, line.split()), flush=True)
        except PenchantError as error:
            print(f"{error.reason}: {error}", flush=True)


if __name__ == "__main__":
    main()
