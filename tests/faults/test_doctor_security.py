"""`penchant doctor --security` finds each open door of a real server, and none of a closed one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from penchant.launch import Server
from penchant.launch.certs import CertsRequest, make_certs
from penchant.launch.exposure import check_place
from penchant.launch.model_parameters import gather
from penchant.launch.ports import Hosts
from tests.support.command import Ran, run
from tests.support.serve_process import ServeProcess, started
from tests.support.served import served
from tests.support.word_encoder import write_word_encoder

pytestmark = pytest.mark.server

EVERYWHERE = "0.0.0.0"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Triton as somebody may start it: every door open, to everybody."""
    place = tmp_path_factory.mktemp("opened")
    encoder = write_word_encoder(place / "encoder", ["red film"], dimensions=8, seed=1)
    settings = gather(f"lmdb:{place / 'store'}", encoder)
    hosts = Hosts(EVERYWHERE, EVERYWHERE, EVERYWHERE)
    with (
        mock.patch("penchant.launch.triton_arguments.closed_doors", return_value=[]),
        served(Server(place / "server", settings, hosts=hosts)) as server,
    ):
        yield server


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeProcess]:
    place = tmp_path_factory.mktemp("closed")
    make_certs(CertsRequest(place / "certs"))
    assert run(["token", "keys", "--output", place / "tokens"]).exit_code == 0
    options = [
        f"--host={EVERYWHERE}",
        f"--tls={place / 'certs' / 'server'}",
        f"--token-keys={place / 'tokens' / 'keys.json'}",
        "--triton-arg=--allow-http=false",
    ]
    with started(place, options) as running:
        running.wait_for("Ctrl-C stops it.")
        yield running


def look(target: str, http_port: int, metrics_port: int, *options: object) -> Ran:
    ports = [f"--http-port={http_port}", f"--metrics-port={metrics_port}"]
    with mock.patch("penchant.launch.exposure._TIMEOUT_S", 30.0):  # The machine may be busy.
        return run(["doctor", "--security", f"--target={target}", *ports, *options])


def states(ran: Ran) -> dict[str, str]:
    """The state of each check, by its name."""
    rows = (line.split("│") for line in ran.stdout.splitlines() if line.startswith("│"))
    cells = ([cell.strip() for cell in row] for row in rows)
    return {row[1]: row[2] for row in cells if row[1]}


def test_every_door_of_an_open_server_is_found_with_its_remedy(opened: Server) -> None:
    ran = look(opened.target, opened.ports.http, opened.ports.metrics)
    assert ran.exit_code == 2
    found = states(ran)
    for door in ("gRPC", "identity", "side doors of gRPC", "HTTP", "side doors of HTTP"):
        assert found[door] == "fail", ran.stdout
    assert found["metrics"] == "warn"
    assert found["reflection"] == "ok"
    for protocol in ("shared-memory", "model-repository", "trace", "logging", "statistics"):
        assert ran.stdout.count(protocol) >= 2, "over gRPC and over HTTP"
    for remedy in ("--tls DIR", "--http-host at 127.0.0.1", "--metrics-host at 127.0.0.1"):
        assert remedy in " ".join(ran.stdout.split())


def test_nothing_of_a_closed_server_is_open(closed: ServeProcess) -> None:
    port = closed.target.rpartition(":")[2]
    client = closed.directory / "certs" / "client"
    store = closed.directory / ".penchant" / "store"
    metrics = int(closed.said("metrics").removesuffix("/metrics").rpartition(":")[2])
    http = int(closed.said("HTTP").rpartition(":")[2])
    target = f"localhost:{port}"
    ran = look(target, http, metrics, f"--tls={client}", f"--store=lmdb:{store}")
    assert (ran.exit_code, "Nothing is open." in ran.stdout) == (0, True), ran.stdout
    found = states(ran)
    assert {"gRPC", "client certificates", "certificates", "identity", "HTTP"} <= found.keys()
    assert set(found.values()) <= {"ok", "skip"}
    assert found["files of store"] == "ok"
    assert found["files of client"] == "ok"
    without = look(target, http, metrics)
    assert states(without)["identity"] == "warn", "it can't be told from out here"
    assert without.exit_code == 1


def test_a_probe_is_good_only_if_the_server_knows_it(closed: ServeProcess) -> None:
    """To a stranger each model answers that it is one, whether or not its store works."""
    target = f"--target=localhost:{closed.target.rpartition(':')[2]}"
    tls = f"--serve-tls={closed.directory / 'certs' / 'server'}"
    stranger = run(["probe", target, tls, "--timeout=60"])
    assert (stranger.exit_code, stranger.stdout.count("fail")) == (1, 5)
    token = f"--token-file={closed.files / 'health-token'}"
    own = run(["probe", target, tls, token, "--timeout=60"])
    assert (own.exit_code, own.stdout.count(" ok ")) == (0, 5), own.output


def test_nobody_there_is_said(closed: ServeProcess) -> None:
    ran = look("localhost:1", 1, 1)
    assert ran.exit_code == 2
    assert "nothing answers on localhost:1" in ran.stdout


def test_files_that_others_may_read_are_named(tmp_path: Path) -> None:
    """Only if they can get there: a closed directory closes what lies in it."""
    place = tmp_path / "store"
    (place / "catalog").mkdir(parents=True)
    leaked = place / "catalog" / "version-1.npz"
    leaked.write_bytes(b"")
    for path, mode in ((place, 0o755), (place / "catalog", 0o755), (leaked, 0o644)):
        path.chmod(mode)
    with mock.patch("penchant.launch.exposure._all_may_enter", return_value=True):
        check = check_place(place)
        assert (check.state, str(leaked) in check.found) == ("fail", True)
        assert "chmod" in check.advice
        (place / "catalog").chmod(0o700)
        assert check_place(place).state == "ok"
        (place / "catalog").chmod(0o750)
        assert check_place(place).state == "warn"
    assert check_place(tmp_path / "none").state == "skip"
