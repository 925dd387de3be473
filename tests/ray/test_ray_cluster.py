"""On a real Ray of this machine: the bytes of one process, though workers die on the way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penchant.domain.errors import ConfigError
from penchant.system.ray_cluster import LOCAL
from penchant.system.workers import ALONE, Workers
from tests.support.dying_workers import make_share_or_die
from tests.support.handwritten import ROOT
from tests.support.shared_work import JOBS, done_by, dying, smaller_shares, store_to_share

pytest.importorskip("ray", reason="no Ray: pip install '.[ray]', or make test-ray")
pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own.


def fail(share: int) -> int:
    raise ConfigError(f"share: got {share}, expected none")


def test_a_cluster_gives_the_bytes_of_one_process_though_workers_die(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    store_to_share(tmp_path)
    smaller_shares(monkeypatch)
    expected = done_by(ALONE, tmp_path)
    dying(monkeypatch, tmp_path)  # Ray's processes inherit the variable, and the path below.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", ""))))
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        found = done_by(Workers(2, LOCAL), tmp_path, make_share_or_die)
        with pytest.raises(ConfigError, match="share: got 3"):
            list(Workers(ray=LOCAL).worked(fail, [3]))
    finally:
        ray.shutdown()
    assert [job for job in JOBS if not (tmp_path / job).exists()] == []  # Each has died once.
    for job in JOBS:
        assert found[job] == expected[job], job


def test_a_cluster_that_is_not_there_is_refused_by_its_address() -> None:
    with pytest.raises(ConfigError, match=r"--ray: got '127\.0\.0\.1:1'"):
        list(Workers(ray="127.0.0.1:1").worked(fail, [3]))
