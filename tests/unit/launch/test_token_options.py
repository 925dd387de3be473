"""What a server may be without knowing its callers, and who hands tokens to the models."""

from __future__ import annotations

import pytest

from penchant.launch.errors import LaunchError
from penchant.launch.ports import Hosts
from penchant.launch.token_options import check_exposure
from penchant.launch.triton_arguments import forwarded_headers

KEYS = {"token_keys": "/keys.json"}
PUBLIC = (Hosts(grpc="0.0.0.0"), Hosts(http="::"), Hosts(grpc="10.0.0.7"), Hosts(http="box"))


@pytest.mark.parametrize("hosts", PUBLIC)
def test_a_public_server_knows_its_callers_or_is_called_insecure(hosts: Hosts) -> None:
    with pytest.raises(LaunchError, match=r"penchant token keys.*--insecure"):
        check_exposure(hosts, {}, (), insecure=False)
    check_exposure(hosts, {}, (), insecure=True)
    check_exposure(hosts, KEYS, (), insecure=False)


def test_this_machine_alone_needs_no_tokens_nor_do_public_metrics() -> None:
    for hosts in (Hosts(), Hosts(metrics="0.0.0.0"), Hosts("localhost", "::1")):
        check_exposure(hosts, {}, (), insecure=False)


@pytest.mark.parametrize(
    "argument",
    [
        "--grpc-address=0.0.0.0",
        "--http-address=0.0.0.0",
        "--grpc-header-forward-pattern=x",
        "--http-header-forward-pattern=x",
    ],
)
def test_no_argument_of_tritons_goes_round_it(argument: str) -> None:
    with pytest.raises(LaunchError, match="which decides who may call"):
        check_exposure(Hosts(), KEYS, [argument], insecure=True)


def test_headers_are_forwarded_to_those_who_ask_for_tokens() -> None:
    assert forwarded_headers({}) == []
    assert forwarded_headers(KEYS) == [
        "--grpc-header-forward-pattern=authorization",
        "--http-header-forward-pattern=authorization",
    ]
