"""Jobs on a disk that fills up at any of their steps: one sentence, nothing half, and then again.

Each command runs on a small real file system with ever more space left, until it succeeds. On the
way it fails at its first file, at its second, ..., and at its commit.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.command import run
from tests.support.rich_store import RichStore, address_of, make_rich_store
from tests.support.small_disk import leaving, small_disk

PAGE = 4096
FREE_PAGES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 17, 24, 36, 60, 100, 200, 400)

Arguments = Callable[[Path, RichStore], list[object]]
"""The options of a command besides the store."""

JOBS: dict[str, Arguments] = {
    "refresh": lambda place, rich: [],
    "publish": lambda place, rich: ["--candidate", rich.root / "second", "--no-gate"],
    "rollback": lambda place, rich: ["start"],
    "rebuild": lambda place, rich: [],
    "compact": lambda place, rich: [],
    "backup": lambda place, rich: ["--to", place / "backup"],
    "impressions": lambda place, rich: ["--output", place / "shown.csv"],
    "ads report": lambda place, rich: ["--json", place / "report.json"],
}


@pytest.fixture(scope="module")
def disk() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as place, small_disk(Path(place) / "disk", 24) as mounted:
        yield mounted


@pytest.fixture(scope="module")
def rich(disk: Path) -> RichStore:
    made = make_rich_store(disk / "rich")
    publish = ["publish", "--store", address_of(made.root), "--no-gate"]
    assert run([*publish, "--candidate", made.root / "second"]).exit_code == 0
    return made


def files_in(place: Path) -> set[str]:
    return {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}


@pytest.mark.parametrize("job", JOBS)
def test_a_job_on_a_full_disk_ends_with_one_sentence_and_leaves_nothing_half(
    job: str, disk: Path, rich: RichStore
) -> None:
    place = disk / "copy"
    command = [*job.split(), "--store", address_of(place), *JOBS[job](place, rich)]
    for pages in FREE_PAGES:
        shutil.copytree(rich.root / "store", place / "store")
        try:
            before = files_in(place)
            with leaving(disk, pages * PAGE):
                ran = run(command)
            assert "Traceback" not in ran.output
            if ran.exit_code == 0:
                return
            assert "No space left on device" in ran.stderr, ran.output
            assert ran.stderr.startswith("penchant: ")
            assert len(ran.stderr.splitlines()) == 1
            assert files_in(place) - before <= releases_of(place), "something is left"
            assert run(command).exit_code == 0, "it does not work once there is space"
        finally:
            shutil.rmtree(place)
    pytest.fail("it never succeeded")


def releases_of(place: Path) -> set[str]:
    """Files of whole releases, which are built before they are served."""
    return {name for name in files_in(place) if name.startswith("store/releases/")} - {
        name for name in files_in(place) if name.startswith("store/releases/.")
    }
