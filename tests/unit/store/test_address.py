"""A store's address never shows its password."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.domain.errors import ConfigError
from penchant.store.address import (
    check_address,
    is_sealed,
    name_of,
    resolved,
    sealed,
    sealed_within,
)
from penchant.system.redacted_address import redacted

SECRET = "p@ss:w/rd?"
TYPED = "valkey://shop:p%40ss%3Aw%2Frd%3F@one:7000,two:7001/shop?wait=1"


def test_a_password_moves_into_the_environment_and_comes_back_for_the_engine_alone() -> None:
    kept = sealed(TYPED)
    assert "p%40ss" not in kept
    assert SECRET not in kept
    assert kept.startswith("valkey://shop@one:7000,two:7001/shop?wait=1&password_env=")
    assert resolved(kept) == TYPED
    assert sealed(kept) == kept


def test_a_password_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(SECRET + "\n")
    assert resolved(f"valkeys://one/shop?password_file={file}&wait=1") == (
        "valkeys://:p%40ss%3Aw%2Frd%3F@one/shop?wait=1"
    )
    with pytest.raises(ConfigError, match="password_file=/nowhere can't be read: No such file"):
        resolved("valkey://one/shop?password_file=/nowhere")
    with pytest.raises(ConfigError, match="password_env=NOT_SET names a variable that is not set"):
        resolved("valkey://one/shop?password_env=NOT_SET")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00s", b"\x80"])
def test_a_password_file_that_is_no_text_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "password"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=f"password_file={file} can't be read: it is no text"):
        resolved(f"valkey://one/shop?password_file={file}")
    with pytest.raises(ConfigError, match="can't be read: Is a directory"):
        resolved(f"valkey://one/shop?password_file={tmp_path}")
    with pytest.raises(ConfigError, match="can't be read: a path holds no zero"):
        resolved("valkey://one/shop?password_file=%00")


def test_a_sealed_address_names_files_wherever_its_process_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    typed = "valkeys://ann@one/shop?password_file=pw&ca=c/ca.pem&cert=/me.pem&key=me.key&wait=1"
    expected = (
        f"valkeys://ann@one/shop?password_file={tmp_path}/pw&ca={tmp_path}/c/ca.pem&cert=/me.pem"
        f"&key={tmp_path}/me.key&wait=1"
    )
    assert sealed(typed) == expected
    assert sealed(expected) == expected
    assert sealed(typed, Path("/etc/shop")) == expected.replace(str(tmp_path), "/etc/shop")
    assert f"&ca={tmp_path}/ca.pem" in sealed("valkeys://ann:pw@one/shop?wait=1&ca=ca.pem")


@pytest.mark.parametrize(
    "address",
    [
        "valkey://user:secret@host/ns",
        "valkey://:secret@host:1,host:2/ns",
        "cannot reach valkey://user:secret@host/ns: refused",
        "valkey://user:se:cret@host/ns",
        "redis://user:secret@host/ns",
        "valkey://user:a/secret@host/ns",
        "valkey://user:a?secret@host/ns",
        "valkey://user:a#secret@host/ns",
        "valkey://user:a@secret@host/ns",
        "valkey://us@er:secret@host/ns",
        "valkey://user:a://secret@host/ns",
        "valkey://user:a\nsecret@host/ns",
        "valkey:user:secret@host/ns",
        "valkey:/user:secret@host/ns",
        "user:secret@host/ns",
        "user:se:cret@host/ns",
        "valkey://host/?password=secret",
        "ftp://user:secret@host/log",
    ],
)
def test_no_text_shows_a_password(address: str) -> None:
    assert "secret" not in redacted(address)
    assert "cret@" not in redacted(address)
    assert "host" in redacted(address)


def test_what_is_no_address_is_refused_without_its_password() -> None:
    for address in (
        "valkey://user:secret@host",
        "valkey:///ns",
        "valkey://",
        "redis://u:secret@h/1",
    ):
        with pytest.raises(ConfigError, match="expected lmdb:/absolute/directory") as refused:
            check_address(address)
        assert "secret" not in str(refused.value)
    check_address("valkey://user@host:7000/shop")


def test_servers_of_one_store_name_their_files_alike() -> None:
    assert name_of(TYPED) == name_of(sealed(TYPED))
    assert name_of("valkey://one/a") != name_of("valkey://one/b")


def test_a_typed_address_is_sealed_wherever_it_stands_in_a_word() -> None:
    for word in (TYPED, f"--store={TYPED}"):
        kept = sealed_within(word)
        assert "p%40ss" not in kept
        assert kept.partition("valkey")[0] == word.partition("valkey")[0]
        assert is_sealed(kept)
