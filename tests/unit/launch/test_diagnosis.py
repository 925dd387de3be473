"""Each check reports its finding and, if it fails, a remedy."""

from __future__ import annotations

import os
import socket
from importlib import metadata
from pathlib import Path

import pytest

from penchant.encoder.cuda import Cuda
from penchant.launch import LaunchError, Ports, diagnosis, ports, probe, tritonserver
from penchant.launch.backup import BackupRequest, backup
from penchant.launch.probe import ProbeResult
from penchant.store.open import open_store
from penchant.store.server_claim import ServerClaim, this_server
from tests.support.fake_gpu import FakeRuntime, FakeTensorRt
from tests.support.word_encoder import write_word_encoder
from tests.support.world import World


def free_target() -> str:
    return f"127.0.0.1:{ports.choose(ports.FREE).grpc}"


def test_a_store_is_shown_with_its_use(tmp_path: Path) -> None:
    address = f"lmdb:{tmp_path}"
    store = open_store(address, map_bytes=1 << 20)
    with store.transaction() as transaction:
        transaction.put(b"key", b"value")
    store.close()
    check = diagnosis.check_store(address)
    assert check.state == "ok"
    assert "of 1 MiB" in check.found
    assert check.found.endswith("1 entries")


def test_a_full_store_says_which_setting_to_raise(tmp_path: Path) -> None:
    address = f"lmdb:{tmp_path}"
    store = open_store(address, map_bytes=1 << 20)
    with store.transaction() as transaction:
        for number in range(230):
            transaction.put(b"%d" % number, bytes(4000))
    store.close()
    check = diagnosis.check_store(address)
    assert check.state == "warn"
    assert "store_map_bytes" in check.advice


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    check = diagnosis.check_store(f"lmdb:{tmp_path / 'none'}")
    assert check.state == "fail"
    assert list(tmp_path.iterdir()) == []


def test_a_backup_is_no_damaged_store(tmp_path: Path) -> None:
    """It leaves the catalog's files out; a server writes them."""
    directory = tmp_path / "store"
    store = open_store(f"lmdb:{directory}", map_bytes=1 << 24)
    World(directory / "catalog", store=store).put(toy="toy story")
    store.close()
    backup(BackupRequest(store=f"lmdb:{directory}", to=tmp_path / "backup"))
    *_, check = diagnosis.check_store_use(f"lmdb:{tmp_path / 'backup'}")
    assert (check.state, check.name) == ("skip", "catalog")
    assert "1 items" in check.found


def test_the_server_that_writes_and_damage_of_the_catalog_are_shown(tmp_path: Path) -> None:
    address, catalog = f"lmdb:{tmp_path}", tmp_path / "catalog"
    store = open_store(address, map_bytes=1 << 24)
    World(catalog, store=store).put(toy="toy story")
    store.close()
    (writer, files) = diagnosis.check_store_use(address)
    assert (writer.state, files.state) == ("skip", "ok")
    claim = ServerClaim(tmp_path, this_server(os.getpid()))
    (catalog / "vectors-1.f32").write_bytes(b"")
    (writer, files) = diagnosis.check_store_use(address)
    claim.close()
    assert f"process {os.getpid()} on " in writer.found
    assert files.state == "fail"
    assert "vectors-1.f32" in files.found
    assert "restart the server" in files.advice
    assert list(diagnosis.check_store_use(f"lmdb:{tmp_path / 'none'}")) == []


def test_an_address_of_no_engine_fails() -> None:
    assert diagnosis.check_store("film.db").state == "fail"


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "PACKAGES", ("grpcio", "no-such-package"))
    check = diagnosis.check_packages()
    assert (check.state, check.found) == ("fail", "missing: no-such-package")
    assert "penchant[backend]" in check.advice


def test_numpy_2_is_a_trap_for_this_triton(monkeypatch: pytest.MonkeyPatch) -> None:
    triton = tritonserver.Triton(Path("/t"), Path(), Path(), (), "2.51.0")
    monkeypatch.setattr(tritonserver, "find_triton", lambda: triton)
    monkeypatch.setattr(tritonserver, "check_stub", lambda triton: None)
    monkeypatch.setattr(metadata, "version", lambda name: "2.3.1")
    *_, numpy = diagnosis.check_triton()
    assert numpy.state == "fail"
    assert numpy.advice == "pip install numpy==1.26.4"


def test_without_a_triton_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing() -> None:
        raise LaunchError("no Triton found; pip install it")

    monkeypatch.setattr(tritonserver, "find_triton", nothing)
    (check,) = diagnosis.check_triton()
    assert (check.state, check.advice) == ("fail", "pip install it")


def test_a_taken_port_fails_with_the_option_to_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        states = [check.state for check in diagnosis.check_ports(Ports(0, port, 0))]
        _, http, _ = diagnosis.check_ports(Ports(0, port, 0))
    assert states == ["ok", "fail", "ok"]
    assert "--http-port" in http.advice


def test_a_server_that_should_be_up_and_is_not_fails() -> None:
    (check,) = diagnosis.check_server(free_target())
    assert (check.name, check.state) == ("server", "fail")


def test_without_a_server_the_ports_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "DEFAULT_TARGET", free_target())
    names = [check.name for check in diagnosis.check_server(None)]
    assert names == ["server", "grpc port", "http port", "metrics port"]


def test_a_dead_model_fails_and_the_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    results = [
        ProbeResult("penchant_rank", False, 1001.0, "INTERNAL: not healthy"),
        ProbeResult("penchant_users", True, 1.0, "[UserNotFound] user"),
    ]
    monkeypatch.setattr(probe, "ask", lambda target, times, access: results)
    rank, users = diagnosis.check_server("here:8001")
    assert (rank.state, users.state) == ("fail", "ok")
    assert "restart" in rank.advice


def test_a_gpu_without_tensorrt_gets_advice(tmp_path: Path) -> None:
    encoder = write_word_encoder(tmp_path / "words", ["red"], dimensions=4, seed=1)
    gpu = FakeRuntime("9.0")
    trt = FakeTensorRt(encoder / "encoder.onnx", 4, gpu)
    alone, both = diagnosis.check_gpu(None, Cuda(gpu)), diagnosis.check_gpu(trt, Cuda(gpu))
    assert (alone.state, both.state) == ("warn", "ok")
    assert "penchant[tensorrt]" in alone.advice
    assert both.found == "compute capability 9.0, tensorrt-rtx 1.7.1.116"
    assert diagnosis.check_gpu(None, None).state == "skip"
