"""Commands and the health check of `serve` speak TLS where the server does, also mutual TLS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import pytest

from penchant.launch.certificate_check import check_certificates
from penchant.launch.certs import CertsRequest, make_certs
from penchant.launch.tls import TlsFiles
from penchant_sdk import Event, Item, Penchant
from tests.support.certificates import Authority
from tests.support.command import Ran, run
from tests.support.serve_process import PATIENCE_S, ServeProcess, started
from tests.support.word_encoder import write_word_encoder

pytestmark = pytest.mark.server


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("certs")
    make_certs(CertsRequest(place))
    return place


@pytest.fixture(scope="module")
def serve(certs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeProcess]:
    with started(tmp_path_factory.mktemp("served"), [f"--tls={certs / 'server'}"]) as running:
        running.wait_for("Ctrl-C stops it.")
        yield running


@pytest.fixture
def target(serve: ServeProcess) -> str:
    return f"localhost:{serve.target.rpartition(':')[2]}"


@pytest.fixture(params=["by directory", "by name"])
def options(certs: Path, target: str, request: pytest.FixtureRequest) -> list[str]:
    if request.param == "by directory":
        return [f"--target={target}", f"--tls={certs / 'client'}"]
    files = {"ca": "ca.crt", "cert": "tls.crt", "key": "tls.key"}
    named = [f"--tls-{option}={certs / 'client' / name}" for option, name in files.items()]
    return [f"--target={target}", *named]


def well(*arguments: object) -> Ran:
    with mock.patch("penchant.cli.client.TIMEOUT_S", 60.0):  # The machine may be busy.
        ran = run(arguments)
    assert ran.exit_code == 0, ran.output
    return ran


def test_every_command_that_calls_a_server_speaks_mutual_tls(
    serve: ServeProcess, options: list[str], tmp_path: Path
) -> None:
    items, events = tmp_path / "items.jsonl", tmp_path / "events.jsonl"
    items.write_text(json.dumps({"id": "1", "text": "red film"}) + "\n")
    event = {"user": "ann", "item": "1", "signal": "like", "occurred_at": 1_790_000_000}
    events.write_text(json.dumps(event) + "\n")
    well("import", "items", items, *options)
    well("import", "events", events, *options)
    well("feedback", "ann", "1", "like", *options)
    assert "red film" in well("rank", "ann", *options).output
    assert "ann" in well("user", "ann", *options).output
    assert well("probe", "--timeout=60", *options).output.count(" ok ") == 5
    doctor = run(["doctor", *options])
    assert "penchant_rank" in doctor.output
    assert "valid until" in doctor.output
    assert "fail" not in doctor.output


def test_a_probe_beside_the_server_needs_its_directory_alone(target: str, certs: Path) -> None:
    well("probe", f"--target={target}", f"--serve-tls={certs / 'server'}", "--timeout=60")
    assert run(["probe", f"--target={target}", "--timeout=0.5"]).exit_code == 1


def test_the_sdk_takes_the_clients_directory(certs: Path, target: str) -> None:
    with Penchant(target, tls=certs / "client", timeout_s=60.0) as penchant:
        penchant.put_items([Item("sdk", "a film")])
        ack = penchant.feedback([Event("sdk", "sdk", "like")])
        assert penchant.rank("sdk", min_state_version=ack.state_version("sdk")).state_version == 1


def test_publish_loads_the_new_encoder_on_the_server_over_mutual_tls(
    serve: ServeProcess, certs: Path, target: str, tmp_path: Path
) -> None:
    """The switch follows only where the server has answered."""
    options = [f"--target={target}", f"--tls={certs / 'client'}"]
    place = serve.directory / ".penchant"
    items, events = tmp_path / "items.csv", tmp_path / "events.csv"
    items.write_text("id,text\n" + "".join(f"{n},red film {n}\n" for n in range(12)))
    likes = (f"u{n % 5},{n * 7 % 12},like,{1_700_000_000 + n}\n" for n in range(60))
    events.write_text("user,item,signal,occurred_at\n" + "".join(likes))
    well("import", "items", items, *options)
    well("import", "events", events, *options)
    with_server = ["--store", f"lmdb:{place / 'store'}", "--encoder", place / "encoder"]
    other = write_word_encoder(tmp_path / "other", ["red film"], dimensions=8, seed=2)
    publish = ["publish", "--candidate", other, "--no-gate", *with_server]
    for refused in (options[:1], [options[0], f"--tls-ca={certs / 'ca' / 'ca.crt'}"]):
        ran = run([*publish, *refused])
        assert ran.exit_code == 1
        assert "--tls-ca" in ran.stderr
        assert "Served" not in ran.output
    assert "Served from the next request on" in well(*publish, *options).output
    well("rank", "ann", *options)
    well("rollback", *with_server)


def test_without_the_files_a_command_says_what_the_server_may_want(
    serve: ServeProcess, target: str, certs: Path
) -> None:
    plain = run(["rank", "ann", f"--target={target}"])
    assert plain.exit_code == 1
    assert "if it speaks TLS, the authority of its certificate with --tls-ca" in plain.stderr
    authority = certs / "ca" / "ca.crt"
    without_own = run(["rank", "ann", f"--target={target}", f"--tls-ca={authority}"])
    assert without_own.exit_code == 1
    assert "--tls-ca" in without_own.stderr


def test_a_server_with_tls_is_mended_too(serve: ServeProcess, certs: Path, target: str) -> None:
    serve.stubs()["penchant_rank_0_0"].kill()
    serve.wait_for("is up again")
    well("rank", "ann", f"--target={target}", f"--tls={certs / 'client'}")


def test_doctor_tells_certificates_that_expire_soon(certs: Path, target: str) -> None:
    """The server's own, which it shows to anybody, and the client's."""
    files = TlsFiles(tls=certs / "client")
    at = datetime.now(UTC) + timedelta(days=80)
    client, server = check_certificates(target, files, at)
    assert (client.state, server.state) == ("warn", "warn")
    assert "client/tls.crt expires on" in client.found
    assert "the server's expires on" in server.found
    late = check_certificates(target, files, at + timedelta(days=30))
    assert [check.state for check in late] == ["warn", "fail"]


def test_a_certificate_that_does_not_fit_is_refused_before_the_start(
    authority: Authority, tmp_path: Path
) -> None:
    cert, _ = authority.sign("one.example.com")
    _, key = authority.sign("two.example.com")
    with started(tmp_path, [f"--tls-cert={cert}", f"--tls-key={key}"]) as serve:
        assert serve.process.wait(PATIENCE_S) == 1
        serve.wait_for("expected a certificate and its own key")
