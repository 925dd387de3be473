"""A target that gRPC could never reach is refused at once, in words, and not retried or spooled."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.launch import LaunchError, probe
from penchant.launch.tls import PLAIN
from penchant_proto.target_spelling import misspelt
from penchant_sdk import AsyncPenchant, InvalidRequest, Penchant

HOSTS = ("localhost", "ranker.example.com", "10.0.0.1", "my_host", "[::1]", "[fe80::1%eth0]")
GOOD = (
    *(f"{host}:8001" for host in HOSTS),
    "dns:///ranker",
    "dns:ranker:8001",
    "ipv4:10.0.0.1:8001",
    "ipv6:[::1]:8001",
    "unix:/run/a b",
    "vsock:3:100000",
    "xds:///ranker",
)
MISSPELT = {
    "localhost": "as in localhost:8001",
    "localhost:": "as in localhost:8001",
    "localhost:http": "as in localhost:8001",
    "localhost:8001/": "as in localhost:8001",
    "a;b:8001": "as in localhost:8001",
    "::1:8001": r"in brackets, as in \[::1\]:8001",
    "[::1]": r"as in \[::1\]:8001",
    "http://a:8001": "no scheme .* as in a:8001",
    "grpc://a:8001/v2": "no scheme .* as in a:8001",
    "https://a": "no scheme .* as in localhost:8001",
    "dns:///a:99999": "a port from 1 to 65,535",
}


@pytest.mark.parametrize("target", GOOD)
def test_a_target_of_grpc_is_taken_as_it_is(target: str) -> None:
    assert not misspelt(target)
    Penchant(target).close()


@pytest.mark.parametrize(("target", "expected"), MISSPELT.items())
def test_a_misspelt_target_is_refused_with_what_it_should_be(
    target: str, expected: str, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    for kind in (Penchant, AsyncPenchant):
        with pytest.raises(InvalidRequest, match=expected):
            kind(f"localhost:8001,{target}", spool=spool)
    assert not spool.exists()
    with pytest.raises(LaunchError, match=expected):
        probe.ask(target, access=PLAIN)


@given(st.integers(0, 10**7), st.sampled_from(HOSTS))
def test_a_port_is_never_taken_for_another(port: int, host: str) -> None:
    assert bool(misspelt(f"{host}:{port}")) == (not 0 < port < 2**16)
