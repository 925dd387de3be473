"""A container's default 64 MB of shared memory are enough, and too little is refused at once."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from penchant_sdk import Event, Item
from tests.support.serve_process import PATIENCE_S, serving, started, wait_until

pytestmark = pytest.mark.server


def narrow(size: str) -> list[str]:
    """A program that runs another one with a small /dev/shm of its own."""
    inside = f'mount -t tmpfs -o size={size} tmpfs /dev/shm && exec "$@"'
    program = ["unshare", "--mount", "sh", "-c", inside, "sh"]
    if shutil.which("unshare") is None:
        pytest.skip("no unshare on this machine")
    if subprocess.run([*program, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount")
    return program


def test_64_mb_of_shared_memory_serve_all_verbs(tmp_path: Path) -> None:
    with serving(tmp_path, prefix=narrow("64m")) as serve:
        assert not any("shared memory" in line for line in serve.lines)
        with serve.client(timeout_s=30.0) as penchant:
            items = [Item(f"item-{n}", f"red film {n} " + "blue " * 300) for n in range(1500)]
            assert penchant.put_items(items).changed == 1500
            ids = [item.id for item in items]
            for user in range(4):
                likes = [Event(f"user-{user}", id_, "like") for id_ in ids[:1000]]
                penchant.feedback(likes).raise_for_refused()
                assert len(penchant.rank(f"user-{user}", k=1000).items) == 1000
                assert len(penchant.export_user(f"user-{user}").events) == 1000
            assert len(penchant.get_items(ids).items) == 1500


def test_too_little_shared_memory_is_refused_at_once_by_name(tmp_path: Path) -> None:
    with started(tmp_path, prefix=narrow("8m")) as serve:
        assert serve.process.wait(PATIENCE_S) == 1
        serve.wait_for("shared memory: got ")
        expected = "expected 12 MiB for 6 model instances"
        wait_until(lambda: expected in "".join(serve.lines), "what is expected")
