"""A check of a server that takes no connection says why, and not that its models died."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import grpc
import pytest

from penchant.launch import diagnosis
from penchant.launch.certs import CertsRequest, make_certs
from penchant.launch.tls import NO_TLS, TlsFiles
from tests.support.odd_listener import odd_listener


@pytest.fixture
def not_grpc() -> Iterator[str]:
    """A server that answers each connection as one for HTTP does that understood nothing."""
    refusal = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    with odd_listener(lambda connection: connection.sendall(refusal)) as target:
        yield target


def test_a_port_of_http_is_named_as_no_grpc(not_grpc: str) -> None:
    (check,) = diagnosis.check_server(not_grpc)
    assert (check.name, check.state) == ("server", "fail")
    assert check.found == f"what listens on {not_grpc} does not speak gRPC"
    assert "8000 is HTTP" in check.advice


def test_tls_on_one_side_alone_is_named(tmp_path: Path, not_grpc: str) -> None:
    certs = tmp_path / "certs"
    make_certs(CertsRequest(output=certs))
    files = TlsFiles(tls=certs / "client")
    (check,) = diagnosis.check_server(not_grpc, files)
    assert "does not speak gRPC over TLS" in check.found
    assert "leave out --tls" in check.advice
    server = grpc.server(futures.ThreadPoolExecutor(1))
    pair = [((certs / "server" / f"tls.{kind}").read_bytes()) for kind in ("key", "crt")]
    credentials = grpc.ssl_server_credentials([(pair[0], pair[1])])
    # The name has two addresses, and nothing listens on the other one.
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    try:
        (check,) = diagnosis.check_server(f"localhost:{port}", NO_TLS)
    finally:
        server.stop(grace=None).wait()
    assert check.found == f"localhost:{port} expects TLS"
    assert "--tls" in check.advice
