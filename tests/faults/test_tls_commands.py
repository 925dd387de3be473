"""Commands and the health check of `serve` speak TLS where the server does, also mutual TLS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.command import Ran, run
from tests.support.serve_process import ServeProcess, started
from tests.support.word_encoder import write_word_encoder

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def serve(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeProcess]:
    cert, key = authority.sign("localhost")
    options = [f"--tls-cert={cert}", f"--tls-key={key}", f"--tls-ca={authority.ca}"]
    with started(tmp_path_factory.mktemp("served"), options) as running:
        running.wait_for("Ctrl-C stops it.")
        yield running


@pytest.fixture
def options(authority: Authority, serve: ServeProcess) -> list[str]:
    cert, key = authority.sign("a-client", "clientAuth")
    target = f"--target=localhost:{serve.target.rpartition(':')[2]}"
    return [target, f"--tls-ca={authority.ca}", f"--tls-cert={cert}", f"--tls-key={key}"]


def well(*arguments: object) -> Ran:
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
    doctor = run(["doctor", *options])
    assert "penchant_rank" in doctor.output
    assert "fail" not in doctor.output


def test_publish_loads_the_new_encoder_on_the_server_over_mutual_tls(
    serve: ServeProcess, options: list[str], tmp_path: Path
) -> None:
    """The switch follows only where the server has answered."""
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
    for refused in (options[:1], options[:2]):
        ran = run([*publish, *refused])
        assert ran.exit_code == 1
        assert "--tls-ca" in ran.stderr
        assert "Served" not in ran.output
    assert "Served from the next request on" in well(*publish, *options).output
    well("rank", "ann", *options)
    well("rollback", *with_server)


def test_without_the_files_a_command_says_what_the_server_may_want(
    serve: ServeProcess, options: list[str], authority: Authority
) -> None:
    plain = run(["rank", "ann", options[0]])
    assert plain.exit_code == 1
    assert "if it speaks TLS, the authority of its certificate with --tls-ca" in plain.stderr
    without_own = run(["rank", "ann", *options[:2]])
    assert without_own.exit_code == 1
    assert "--tls-ca" in without_own.stderr


def test_a_server_with_tls_is_mended_too(serve: ServeProcess, options: list[str]) -> None:
    serve.stubs()["penchant_rank_0_0"].kill()
    serve.wait_for("is up again")
    well("rank", "ann", *options)


def test_a_certificate_that_does_not_fit_is_refused_before_the_start(
    authority: Authority, tmp_path: Path
) -> None:
    cert, _ = authority.sign("one.example.com")
    _, key = authority.sign("two.example.com")
    with started(tmp_path, [f"--tls-cert={cert}", f"--tls-key={key}"]) as serve:
        assert serve.process.wait(60) == 1
        serve.wait_for("expected a certificate and its own key")
