"""Ports are free and distinct, or an error names them."""

from __future__ import annotations

import os
import socket

import pytest

from penchant.launch import ports
from penchant.launch.errors import LaunchError
from penchant.launch.ports import FREE, Ports

HOST = "127.0.0.1"


def test_zero_picks_three_different_free_ports() -> None:
    chosen = ports.choose(FREE)
    numbers = [port for _, port in chosen.items()]
    assert len(set(numbers)) == 3
    assert all(ports.is_free(HOST, port) for port in numbers)


def test_a_taken_port_is_named() -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        assert not ports.is_free(HOST, port)
        who = rf"\S+ \(process {os.getpid()}\)"
        with pytest.raises(LaunchError, match=rf"port {port} is taken: {who} listens.*--http-port"):
            ports.choose(Ports(grpc=0, http=port, metrics=0))


def test_a_port_given_twice_is_refused() -> None:
    with pytest.raises(LaunchError, match="port 8001 is given twice"):
        ports.choose(Ports(grpc=8001, http=8001, metrics=0))


def test_a_host_that_is_not_ours_is_refused() -> None:
    with pytest.raises(LaunchError, match="host: got 'no such host'"):
        ports.is_free("no such host", 8001)
