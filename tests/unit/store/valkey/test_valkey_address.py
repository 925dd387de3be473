"""Addresses of stores on Valkey, and who is refused by name."""

from __future__ import annotations

import pytest

from penchant.domain.errors import ConfigError
from penchant.store.address import check_address, redacted
from penchant.store.open import open_store
from penchant.store.valkey.valkey_address import parse_address


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("valkey://host", "the address"),
        ("valkey://host/a b", "the address"),
        ("valkey:///shop", "a server"),
        ("valkey://host:0/shop", "a server"),
        ("valkey://host:99999/shop", "a server"),
        ("valkey://host/shop?tiemout_ms=3", "got 'tiemout_ms', expected one of timeout_ms"),
        ("valkey://host/shop?timeout_ms=0", "timeout_ms: got '0', expected a whole number"),
        ("valkey://host/shop?wait=-1", "wait: got '-1'"),
        ("valkey://host/shop?ca=/ca.pem", "expected valkeys://"),
        ("valkeys://host/shop?cert=/me.pem", "cert and key: got 'one of both'"),
    ],
)
def test_an_address_of_another_form_is_refused_with_what_is_wrong(
    address: str, sentence: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        open_store(address)
    assert sentence in str(caught.value)


def test_no_refusal_shows_the_password() -> None:
    address = "valkey://ann:secret@host/a b"
    for check in (open_store, check_address):
        with pytest.raises(ConfigError) as caught:
            check(address)
        assert "secret" not in str(caught.value)
    assert redacted("valkey://host/shop") == "valkey://host/shop"


def test_every_part_of_an_address_is_read() -> None:
    text = "valkeys://ann:p%40ss@one:7000,[::1]:7001,two/shop/eu?timeout_ms=300&wait=2&wait_ms=50"
    found = parse_address(f"{text}&ca=/ca.pem&cert=/me.pem&key=/me.key")
    assert found.hosts == (("one", 7000), ("::1", 7001), ("two", 6379))
    assert (found.namespace, found.user, found.password) == ("shop:eu", "ann", "p@ss")
    assert (found.timeout_ms, found.wait, found.wait_ms, found.tls) == (300, 2, 50, True)
    assert (found.ca, found.cert, found.key) == ("/ca.pem", "/me.pem", "/me.key")
