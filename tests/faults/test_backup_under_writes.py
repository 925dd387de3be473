"""A backup that is taken while events are accepted is a whole store of one moment, anywhere."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

from penchant.domain.types import Event
from penchant.service.rank import RankRequest
from penchant.store.lmdb import LmdbStore
from penchant.store.users import read_log, scan_user_ids
from tests.faults.test_lmdb_crash import started
from tests.support.acked import assert_all_is_there_once
from tests.support.command import run
from tests.support.feeder import MAP_BYTES, config_of
from tests.support.histories import FILMS
from tests.support.serve_process import wait_until
from tests.support.world import NOW_US, World


def test_a_backup_under_writes_is_restored_elsewhere_as_of_one_moment(tmp_path: Path) -> None:
    directory, copy, elsewhere = (tmp_path / name for name in ("store", "backup", "elsewhere"))
    acked: list[str] = []
    with started("events", directory, 0) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        lines = writer.stdout

        def note() -> None:
            acked.extend(line.decode().strip() for line in lines if line.endswith(b"\n"))

        reader = threading.Thread(target=note, daemon=True)
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
        reader.start()
        wait_until(lambda: len(acked) > 50, "the first events")
        before = set(acked)
        ran = run(["backup", "--store", f"lmdb:{directory}", "--to", copy])
        at_the_end = len(acked)
        wait_until(lambda: len(acked) > at_the_end + 50, "events after the backup")
        writer.kill()
        reader.join()
    assert ran.exit_code == 0, ran.stderr
    shutil.rmtree(directory)  # Nothing of it is needed.
    shutil.move(copy, elsewhere)

    store = LmdbStore(elsewhere, map_bytes=MAP_BYTES)
    restored = World(elsewhere / "catalog", store=store)
    with store.snapshot() as snapshot:
        assert_all_is_there_once(snapshot, before, config_of(elsewhere))
        users = scan_user_ids(snapshot)
        kept = {row.event.event_id for user in users for row in read_log(snapshot, user)}
    assert kept - set(acked[: len(kept)]) == set(), "an event without those acked before it"
    assert restored.rank(RankRequest("u0", k=3)).ids
    item = next(iter(FILMS))
    assert restored.feed(Event("after", "u0", item, "like", None, NOW_US))[0].state_version
    store.close()
