"""Addresses of stores on Valkey, and who is refused by name."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.errors import ConfigError
from penchant.store.address import check_address, sealed
from penchant.store.open import open_store
from penchant.store.valkey.valkey_address import parse_address
from penchant.system.redacted_address import redacted


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("valkey://host", "the address"),
        ("valkey://host/a b", "the namespace: got 'a b', expected letters"),
        ("valkey://host/a%20b", "the namespace: got 'a b', expected letters"),
        ("valkey://host/shop#eu", "the namespace: got 'shop#eu', expected letters"),
        (f"valkey://host/{'n' * 129}", "got 129 characters, expected at most 128; choose a short"),
        ("valkey://[::1/shop", "a server: got '[::1', expected host:port, and [address]:port"),
        ("valkey://::1/shop", "a server"),
        ("valkey://a]b/shop", "a server"),
        ("valkey://one,,two/shop", "a server"),
        (f"valkey://{'a' * 64}/shop", "a server"),
        ("valkey://a..b/shop", "a server"),
        ("valkey://a\0b/shop", "a server"),
        ("valkey:///shop", "a server"),
        ("valkey://host:0/shop", "a server"),
        ("valkey://host:99999/shop", "a server"),
        ("valkey://host/shop?tiemout_ms=3", "got 'tiemout_ms', expected one of timeout_ms"),
        ("valkey://host/shop?timeout_ms=0", "timeout_ms: got '0', expected a whole number"),
        ("valkey://host/shop?wait=1&wait_ms=0", "wait_ms: got '0', expected a whole number, 1 or"),
        ("valkey://host/shop?wait=1&wait=2", "got 'one twice', expected each once"),
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


def test_every_part_of_an_address_is_read() -> None:
    text = "valkeys://ann:p%40ss@one:7000,[::1]:7001,two/shop/eu?timeout_ms=300&wait=2&wait_ms=50"
    found = parse_address(f"{text}&ca=/ca.pem&cert=/me.pem&key=/me.key")
    assert found.hosts == (("one", 7000), ("::1", 7001), ("two", 6379))
    assert (found.namespace, found.user, found.password) == ("shop:eu", "ann", "p@ss")
    assert (found.timeout_ms, found.wait, found.wait_ms, found.tls) == (300, 2, 50, True)
    assert (found.ca, found.cert, found.key) == ("/ca.pem", "/me.pem", "/me.key")


@pytest.mark.parametrize(
    "password",
    [
        "se/cret",
        "se?cret",
        "se#cret",
        "12/secret?x",
        "ab/ns?timeout_ms=secret",
        "ab/ns#secret",
        "/",
    ],
)
def test_a_password_with_a_bare_sign_is_refused_with_what_to_write(password: str) -> None:
    for check in (open_store, check_address, sealed, parse_address):
        for engine in ("valkey", "valkeys"):
            with pytest.raises(ConfigError) as caught:
                check(f"{engine}://ann:{password}@host:7000/shop")
            assert f"got '{engine}://ann:***@host:7000/shop'" in str(caught.value)
            assert "write %2F for /, %3F for ?, %23 for # and %40 for @" in str(caught.value)


@given(password=st.text(st.characters(codec="utf-8", exclude_categories=["C"])))
def test_every_printable_password_is_read_or_refused_and_never_said(password: str) -> None:
    typed = f"valkey://ann:{password}@host:7000/a b"
    with pytest.raises(ConfigError) as caught:
        open_store(typed)
    assert str(caught.value) == str(caught.value).replace(f":{password}@", ":***@")
    assert redacted(typed) == "valkey://ann:***@host:7000/a b"
    encoded = quote(password, safe="")
    assert parse_address(f"valkey://ann:{encoded}@host/shop").password == password
    if not {"/", "?", "#"} & set(password) and "%" not in password:
        assert parse_address(f"valkey://ann:{password}@host/shop").password == password


def test_where_no_replica_is_waited_for_the_time_to_wait_may_be_nothing() -> None:
    assert parse_address("valkey://host/shop?wait_ms=0").wait_ms == 0


def test_what_is_checked_as_an_address_is_the_namespace_that_is_opened() -> None:
    for text in ("shop", "shop/eu", "/shop/", "sh%6Fp", "shop%2Feu", "shop:eu"):
        check_address(f"valkey://host/{text}")
        assert parse_address(f"valkey://host/{text}").namespace in ("shop", "shop:eu")


def test_an_address_that_is_printed_for_whoever_mends_the_program_shows_no_password() -> None:
    assert "secret" not in repr(parse_address("valkey://ann:secret@host/shop"))
