"""A proxy that the environment names never carries calls to this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from penchant.launch import probe
from penchant_proto.local_targets import is_local
from penchant_sdk import AsyncPenchant, Penchant, PenchantError
from tests.support.odd_listener import odd_listener
from tests.support.serve_process import wait_until

if TYPE_CHECKING:
    from tests.unit.sdk.conftest import Wire

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy")


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """What reaches the proxy that the environment names; it answers nothing."""
    first_bytes: list[bytes] = []
    with odd_listener(lambda connection: first_bytes.append(connection.recv(200))) as proxy:
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("no_grpc_proxy", raising=False)
        for name in VARIABLES:
            for spelled in (name, name.upper()):
                monkeypatch.setenv(spelled, f"http://{proxy}")
        yield first_bytes


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "dns:///localhost", "ipv4:127.0.0.1"])
def test_local_target_is_reached_without_the_proxy(
    wire: Wire, heard: list[bytes], host: str
) -> None:
    target = f"{host}:{wire.target.rpartition(':')[2]}"

    async def main() -> None:
        async with AsyncPenchant(target, timeout_s=60) as penchant:
            await penchant.rank("u")

    with Penchant(target, timeout_s=60) as penchant:
        assert penchant.ready()
        penchant.rank("u")
    asyncio.run(main())
    (result,) = probe.ask(target, ["penchant_rank"], timeout_s=60)
    assert result.alive
    assert heard == []


def test_remote_target_is_reached_as_grpc_decides(heard: list[bytes]) -> None:
    with Penchant("ranker.invalid:8001", timeout_s=1.0) as penchant:
        with pytest.raises(PenchantError):
            penchant.rank("u")
        wait_until(lambda: bool(heard), "what the proxy hears")
        assert heard[0].startswith(b"CONNECT ranker.invalid:8001 ")


@pytest.mark.parametrize(
    ("name", "used"),
    [
        ("grpc_proxy", True),
        ("https_proxy", True),
        ("http_proxy", True),
        ("all_proxy", False),
        ("HTTP_PROXY", False),
        ("HTTPS_PROXY", False),
    ],
)
def test_variables_have_the_effect_that_the_guide_states(
    heard: list[bytes], monkeypatch: pytest.MonkeyPatch, name: str, used: bool
) -> None:
    for other in {*VARIABLES, *map(str.upper, VARIABLES)} - {name}:
        monkeypatch.delenv(other)
    with Penchant("ranker.invalid:8001", timeout_s=0.3) as penchant:
        assert not penchant.ready()
        if used:
            wait_until(lambda: bool(heard), "what the proxy hears")
    assert bool(heard) is used


def test_host_that_the_environment_exempts_is_reached_directly(
    heard: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "ranker.invalid")
    with Penchant("ranker.invalid:8001", timeout_s=0.3) as penchant:
        assert not penchant.ready()
    assert heard == []


def test_channel_options_of_the_caller_decide(wire: Wire, heard: list[bytes]) -> None:
    options = [("grpc.enable_http_proxy", 1)]
    with Penchant(wire.target, timeout_s=1.0, channel_options=options) as penchant:
        with pytest.raises(PenchantError):
            penchant.rank("u")
        wait_until(lambda: bool(heard), "what the proxy hears")
        assert heard[0].startswith(b"CONNECT 127.0.0.1:")


@pytest.mark.parametrize(
    "target",
    [
        "localhost",
        "LOCALHOST.:8001",
        "ranker.localhost:8001",
        "127.8.9.10:1",
        "0.0.0.0:8001",
        "::1",
        "[::1]:8001",
        "[::]:8001",
        "[::ffff:127.0.0.1]:8001",
        "unix:triton.sock",
        "unix:///run/triton.sock",
        "unix-abstract:triton",
        "dns:localhost:8001",
        "dns:///127.0.0.1:8001",
        "dns://8.8.8.8/localhost:8001",
        "ipv4:127.0.0.1:1,127.0.0.2:2",
        "ipv6:[::1]:8001",
        "ipv6:%5B::1%5D:8001",
    ],
)
def test_target_on_this_machine_is_local(target: str) -> None:
    assert is_local(target)


@pytest.mark.parametrize(
    "target",
    [
        "",
        "10.0.0.1:8001",
        "ranker.example.com:8001",
        "localhost.example.com:8001",
        "128.0.0.1:8001",
        "[fe80::1%eth0]:8001",
        "dns:///ranker:8001",
        "dns://localhost/ranker:8001",
        "ipv4:127.0.0.1:1,10.0.0.1:1",
        "xds:///localhost",
    ],
)
def test_target_on_another_machine_is_not(target: str) -> None:
    assert not is_local(target)
