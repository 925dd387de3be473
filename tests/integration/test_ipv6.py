"""A server on addresses of IPv6 is reached there, by people, programs and the doctor."""

from __future__ import annotations

import socket
import urllib.request
from pathlib import Path

import pytest

from penchant.launch import probe
from penchant.launch.exposure import DoorsToTry, try_doors
from tests.support.serve_process import serving

DOORS = {"HTTP": "/v2/health/ready", "metrics": ""}
"""The doors beside gRPC, and what answers behind each."""


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


pytestmark = [
    pytest.mark.server,
    pytest.mark.usefixtures("foreign_clients_direct"),
    pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6"),
]


def test_a_server_on_ipv6_is_reached_at_each_of_its_doors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penchant.launch.exposure._TIMEOUT_S", 30.0)  # The machine may be busy.
    hosts = [f"--{name}=::1" for name in ("host", "http-host", "metrics-host")]
    with serving(tmp_path, hosts) as serve:
        assert serve.target.startswith("[::1]:")
        assert all(result.alive for result in probe.ask(serve.target, timeout_s=30.0))
        with serve.client() as penchant:
            assert penchant.ready()
        for door, path in DOORS.items():
            with urllib.request.urlopen(serve.said(door) + path) as reply:
                assert reply.status == 200
        ports = {name: int(serve.said(name).split("]:")[1].split("/")[0]) for name in DOORS}
        checks = {
            check.name: check
            for check in try_doors(
                DoorsToTry(serve.target, http_port=ports["HTTP"], metrics_port=ports["metrics"])
            )
        }
        assert {checks[name].state for name in DOORS} == {"ok"}
