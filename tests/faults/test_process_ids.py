"""Two containers on one store: a reader whose process id is taken is told so, and harms nobody."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from penchant.store.open import open_store

READER = """
import os, sys
from penchant.domain.errors import StoreUnavailable
from penchant.store.open import open_store
try:
    store = open_store("lmdb:" + sys.argv[1], map_bytes=1 << 20)
except StoreUnavailable as error:
    print(error, flush=True)
    sys.exit(3)
with store.snapshot() as snapshot:
    print(os.getpid(), snapshot.get(b"key"), flush=True)
    sys.stdin.read()
    print(snapshot.get(b"key"), flush=True)
store.close()
"""


@pytest.fixture
def namespace() -> list[str]:
    """Runs a program as process 1 of a namespace of its own, as a container's is."""
    command = ["unshare", "--pid", "--fork", "--kill-child"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*command, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("this user may not make PID namespaces")
    return command


def test_a_reader_in_another_container_with_the_same_id_is_told_what_to_do(
    namespace: list[str], tmp_path: Path
) -> None:
    store = open_store(f"lmdb:{tmp_path}", map_bytes=1 << 20)
    with store.transaction() as transaction:
        transaction.put(b"key", b"value")
    store.close()
    command = [*namespace, sys.executable, "-c", READER, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "1 b'value'\n"
        second = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert second.returncode == 3, second.stderr
        assert "another process reads it under the same id, 1," in second.stdout
        assert "shareProcessNamespace" in second.stdout
        rest, _ = first.communicate("", timeout=300)
        assert rest == "b'value'\n", "the first one's snapshot is untouched"
    again = subprocess.run(
        command, input="", capture_output=True, text=True, check=False, timeout=300
    )
    assert again.returncode == 0
