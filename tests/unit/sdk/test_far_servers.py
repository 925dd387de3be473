"""A server that is far away is reached by the first call: a slow handshake is no failure."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import grpc
import pytest

from penchant.launch.certs import CertsRequest, make_certs
from penchant.launch.probe import ask
from penchant.launch.tls import ChannelAccess, TlsFiles
from penchant_sdk import Penchant, PenchantError

ONE_WAY_S = 0.08
"""Seconds that each packet takes; a handshake of TLS takes three ways there and back."""
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("certs")
    make_certs(CertsRequest(place))
    return place


@pytest.fixture(scope="module")
def far(certs: Path) -> Iterator[int]:
    """The port of a gRPC server with TLS, without methods, behind a long line."""
    files = [(certs / "server" / name).read_bytes() for name in ("tls.key", "tls.crt")]
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_secure_port(
        "127.0.0.1:0", grpc.ssl_server_credentials([(files[0], files[1])])
    )
    server.start()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_forward_all, args=(listener, port), daemon=True).start()
        yield listener.getsockname()[1]
    server.stop(None).wait(PATIENCE_S)


def _forward_all(listener: socket.socket, port: int) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return  # The end of the tests.
        threading.Thread(target=_join, args=(near, port), daemon=True).start()


def _join(near: socket.socket, port: int) -> None:
    with near, socket.create_connection(("127.0.0.1", port)) as away:
        back = threading.Thread(target=_forward, args=(away, near), daemon=True)
        back.start()
        _forward(near, away)
        back.join(PATIENCE_S)


def _forward(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            time.sleep(ONE_WAY_S)
            target.sendall(data)
    except OSError:
        pass  # Either side may be gone.
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


def test_the_first_call_of_a_client_reaches_it(far: int, certs: Path) -> None:
    with (
        Penchant(
            f"localhost:{far}", tls=certs / "client", timeout_s=PATIENCE_S, max_attempts=1
        ) as penchant,
        pytest.raises(PenchantError) as error,
    ):
        penchant.user("anybody")
    assert "connect" not in str(error.value)
    assert "Method not found" in str(error.value)


def test_the_probe_reaches_it(far: int, certs: Path) -> None:
    access = ChannelAccess(TlsFiles(tls=certs / "client").credentials())
    (result,) = ask(f"localhost:{far}", ["penchant_rank"], timeout_s=PATIENCE_S, access=access)
    assert "Method not found" in result.text
