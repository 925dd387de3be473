"""`penchant serve` on a disk without space, and with nobody who reads what it prints."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from penchant_sdk import Event, StoreUnavailable, Unavailable
from tests.support.serve_process import FILMS, serving, wait_until
from tests.support.small_disk import filled, small_disk

pytestmark = pytest.mark.server


def test_what_dies_comes_back_while_the_disk_of_the_server_is_full(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", 32) as disk,
        serving(disk, ["--set", f"store_map_bytes={16 << 20}"]) as serve,
    ):
        with filled(disk):
            stubs = serve.stubs()
            next(stub for name, stub in stubs.items() if "rank" in name).kill()
            wait_until(lambda: serve.backs() == 1, f"the server is up again: {serve.lines}")
            with serve.client() as penchant:
                assert penchant.rank("anybody").items
        with serve.client() as penchant:
            event = Event("u", FILMS[0].id, "like")

            def accepted() -> bool:
                try:
                    penchant.feedback([event]).raise_for_refused()
                except StoreUnavailable:
                    return False
                return True

            wait_until(accepted, "feedback is accepted once there is space")


def test_serve_goes_on_where_nobody_reads_what_it_prints(tmp_path: Path) -> None:
    with serving(tmp_path) as serve:
        pids = {stub.pid for stub in serve.stubs().values()}
        serve.stop_reading()
        next(stub for name, stub in serve.stubs().items() if "rank" in name).kill()

        def restarted() -> bool:
            assert serve.process.poll() is None
            try:
                found = {stub.pid for stub in serve.stubs().values()}
            except (ValueError, psutil.NoSuchProcess):  # Triton itself is not back yet.
                return False
            return len(found) == len(pids) and found.isdisjoint(pids)

        wait_until(restarted, "the models are started again")
        with serve.client() as penchant:

            def answered() -> bool:
                try:
                    return bool(penchant.rank("anybody").items)
                except Unavailable:  # The models are loading.
                    return False

            wait_until(answered, "rankings are answered")
