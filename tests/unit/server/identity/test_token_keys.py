"""A file of keys: what counts as one, and what happens when it changes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from joserfc.jwk import RSAKey

from penchant.domain.errors import ConfigError
from penchant.server.identity import token_keys
from penchant.server.identity.token_keys import KeyFile, read_keys
from tests.support.issuers import Issuer, write_keys

ONE, RSA = Issuer("one"), Issuer("two", "RS256")


def as_text(*keys: object) -> str:
    return json.dumps({"keys": keys})


def test_keys_are_known_by_their_id_with_one_algorithm_each() -> None:
    keys = read_keys(as_text(ONE.jwk, RSA.jwk))
    assert {kid: key.algorithm for kid, key in keys.items()} == {"one": "EdDSA", "two": "RS256"}


def test_keys_of_other_kinds_and_uses_are_left_out() -> None:
    curve = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "three"}
    others = [curve, {**ONE.jwk, "use": "enc"}, {**RSA.jwk, "alg": "PS256"}]
    assert read_keys(as_text(*others)) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected a JWKS in JSON"),
        ("[]", 'got no list "keys"'),
        ('{"keys": 7}', 'got no list "keys"'),
        ('{"keys": [], "keys": []}', "given twice"),
        (as_text(3), r"keys\[0\]: got int"),
        (as_text(ONE.jwk, {**ONE.jwk, "kid": None}), r"keys\[1\].kid: missing"),
        (as_text(ONE.jwk, ONE.jwk), "twice"),
        (as_text(ONE.private_jwk), "secret key"),
        (as_text({"kty": "oct", "k": "c2VjcmV0", "kid": "x"}), "secret key"),
        (as_text({**ONE.jwk, "x": "!!"}), "make no OKP key"),
        (as_text({**ONE.jwk, "tenants": ["ACME"]}), "tenants"),
        (as_text({**ONE.jwk, "tenants": []}), "tenants"),
    ],
)
def test_what_is_no_file_of_public_keys_is_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read_keys(text)


def test_a_short_rsa_key_is_refused() -> None:
    with pytest.warns(Warning, match="2048"):
        weak = RSAKey.generate_key(1024).as_dict(private=False)
    with pytest.raises(ConfigError, match="1024 bits, expected 2048"):
        read_keys(as_text({**weak, "kid": "weak"}))


@pytest.fixture
def look_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_keys, "LOOK_EVERY_S", 0.0)


def replace_by_a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


SPOILT: dict[str, Callable[[Path], object]] = {
    "cut off": lambda path: os.truncate(path, 30),
    "empty": lambda path: path.write_text(""),
    "gone": lambda path: path.unlink(),
    "a directory": replace_by_a_directory,
    "no text": lambda path: path.write_bytes(b"\xff\xfe"),
}


@pytest.mark.usefixtures("look_now")
@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_file_keeps_the_last_good_keys_until_it_is_mended(
    tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    readings: list[bool] = []
    path = write_keys(tmp_path / "keys.json", ONE)
    file = KeyFile(path, readings.append)
    SPOILT[how](path)
    assert [file.look(), file.look()] == [False, False]
    assert file.keys.keys() == {"one"}
    assert readings == [False]  # Said once.
    assert "stay in use" in caplog.text
    if path.is_dir():
        path.rmdir()
    write_keys(path, RSA)
    assert file.look()
    assert file.keys.keys() == {"two"}
    assert readings == [False, True]


@pytest.mark.usefixtures("look_now")
def test_an_emptied_list_takes_every_key_away(tmp_path: Path) -> None:
    path = write_keys(tmp_path / "keys.json", ONE)
    file = KeyFile(path, lambda good: None)
    write_keys(path)
    assert file.look()
    assert file.keys == {}


def test_it_is_looked_at_once_a_second_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_keys(tmp_path / "keys.json", ONE)
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    file = KeyFile(path, lambda good: None)
    write_keys(path, RSA)
    now = 100.9
    assert not file.look()
    now = 101.0
    assert file.look()
