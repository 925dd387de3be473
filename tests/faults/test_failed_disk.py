"""A real server on a small ext4 that runs out of inodes, and whose disk fails under it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from penchant.launch import Server
from penchant.launch.model_parameters import gather
from penchant.launch.server import ATTEMPTS
from penchant_sdk import Item
from tests.contracts.client_world import KITCHEN, SPACE
from tests.faults.test_server_on_a_faulty_disk import (
    FILMS,
    MIB,
    connected,
    fails_by_name,
    feed,
    kept,
    works_soon,
)
from tests.support.small_disk import Ext4Disk, ext4_disk, without_inodes
from tests.support.word_encoder import write_word_encoder

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ext4Disk]:
    with ext4_disk(tmp_path_factory.mktemp("mount") / "disk", 32, inodes=64) as made:
        yield made


@pytest.fixture(scope="module")
def server(disk: Ext4Disk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("server")
    encoder = write_word_encoder(directory / "encoder", SPACE + KITCHEN, dimensions=64, seed=1)
    settings = gather(f"lmdb:{disk.place / 'store'}", encoder, [f"store_map_bytes={64 * MIB}"])
    with Server(directory / "files", settings, instances={"penchant_rank": 1}) as running:
        with connected(running) as penchant:
            penchant.put_items(FILMS)
            feed(penchant, "before", 20)
        yield running


def texts(word: str) -> list[Item]:
    """Films with other texts, so that the catalog writes new files."""
    return [Item(film.id, f"{film.text} {word}") for film in FILMS]


def test_without_inodes_what_needs_no_file_goes_on_and_the_rest_comes_back(
    server: Server, disk: Ext4Disk
) -> None:
    pids = server.pids()
    with connected(server) as penchant:
        with without_inodes(disk.place):
            assert "No space left on device" in fails_by_name(
                lambda: penchant.put_items(texts("refused"))
            )
            acked = feed(penchant, "without", 10)
            assert len(acked) == 10, "an event needs no file"
            assert penchant.rank("user-1").items
            assert penchant.get_items([FILMS[0].id]).items[0].text == FILMS[0].text
        works_soon(lambda: penchant.put_items(texts("taken")))
        assert kept(penchant) >= acked
    assert server.pids() == pids


def test_a_disk_that_fails_costs_writes_alone_and_no_acked_event(
    server: Server, disk: Ext4Disk
) -> None:
    pids = server.pids()
    with connected(server) as penchant:
        acked = feed(penchant, "on the disk", 10)
        disk.fail()
        for turn in range(2):
            assert not feed(penchant, f"lost {turn}", 5), "acknowledged without a disk"
            fails_by_name(lambda: penchant.put_items(texts("lost")))
            assert penchant.rank("user-1").items
            assert penchant.get_items([FILMS[0].id]).items
            said = fails_by_name(lambda: penchant.export_user("user-1"))
            assert said.startswith("audit: "), "no export without a row of the audit log"
        said = fails_by_name(lambda: penchant.forget_user("user-1"))
        assert "Read-only file system" in said
    assert server.pids() == pids
    server.stop()
    disk.repair()
    server.start(attempts=ATTEMPTS)
    with connected(server) as penchant:
        assert kept(penchant) >= acked
        assert len(feed(penchant, "repaired", 5)) == 5
        assert not {one for one in kept(penchant) if one.startswith("lost")}
