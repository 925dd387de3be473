"""The in-process server answers like one over the wire, and leaves no files behind."""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from grpc import StatusCode

from penchant.domain.errors import ConfigError
from penchant.encoder.bag_of_words import BagOfWords
from penchant.server.in_process import (
    InProcessServer,
    InProcessTransport,
    StatusError,
    client_of,
)
from penchant_proto.v1.service_pb2 import Call
from penchant_sdk import Event, InternalError, InvalidRequest, Item, Penchant, UserNotFound
from tests.support.watched_encoder import WatchedEncoder


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def put_one(penchant: Penchant) -> None:
    penchant.put_items([Item("a", "chess with kings")])


def test_it_ranks_learns_and_names_errors_as_the_sdk_does() -> None:
    with client_of(BagOfWords(), {"signals": "games"}) as penchant:
        assert penchant.ready()
        penchant.put_items([Item("a", "chess with kings"), Item("b", "car race")])
        ack = penchant.feedback([Event("ann", "b", "purchased")])
        ack.raise_for_refused()
        assert penchant.rank("ann", exclude_owned=True).ids == ("a",)
        with pytest.raises(UserNotFound):
            penchant.user("bob")
        with pytest.raises(InvalidRequest, match="k"):
            penchant.rank("ann", k=5_000)


def test_a_wrong_setting_is_refused(directory: Path) -> None:
    with pytest.raises(ConfigError, match="unknown setting"):
        client_of(BagOfWords(), {"speed": "11"})
    with pytest.raises(ConfigError, match="store: got 'lmdb:/x', expected none"):
        client_of(BagOfWords(), {"store": "lmdb:/x"})
    gc.collect()
    assert list(directory.iterdir()) == []


def test_a_fault_of_the_servers_stays_in_its_log(caplog: pytest.LogCaptureFixture) -> None:
    encoder = WatchedEncoder()
    encoder.error = RuntimeError("/secret/path")
    with client_of(encoder) as penchant, pytest.raises(InternalError) as caught:
        put_one(penchant)
    assert str(caught.value) == "internal error; the server's log says more"
    assert "/secret/path" in caplog.text


def test_closing_removes_the_files_and_ends_the_answers(directory: Path) -> None:
    with InProcessServer() as server:
        put_one(Penchant(transport=InProcessTransport(server)))
        (files,) = directory.iterdir()
        assert list(files.iterdir())
    assert list(directory.iterdir()) == []
    with pytest.raises(StatusError, match="closed") as caught:
        server.infer(Call().SerializeToString())
    assert caught.value.code is StatusCode.UNAVAILABLE
    server.close()


def test_a_client_closes_the_server_that_it_owns_and_no_other(directory: Path) -> None:
    server = InProcessServer()
    Penchant(transport=InProcessTransport(server)).close()
    put_one(Penchant(transport=InProcessTransport(server)))
    Penchant(transport=InProcessTransport(server, owned=True)).close()
    assert list(directory.iterdir()) == []


def test_a_server_that_is_let_go_leaves_no_files(directory: Path) -> None:
    put_one(client_of(BagOfWords()))
    gc.collect()
    assert list(directory.iterdir()) == []


def test_a_server_that_is_never_closed_leaves_no_files_at_exit(tmp_path: Path) -> None:
    program = (
        f"import tempfile; tempfile.tempdir = {str(tmp_path)!r}\n"
        "from penchant.server.in_process import InProcessServer\n"
        "server = InProcessServer()\n"
        "import os; assert os.listdir(tempfile.tempdir)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=600)
    assert list(tmp_path.iterdir()) == []
