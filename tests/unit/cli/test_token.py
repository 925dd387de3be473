"""`penchant token`: keys that a server reads, tokens that it lets in, and their rotation."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from penchant.domain.caller import Scope
from penchant.domain.errors import Unauthenticated
from penchant.server.identity.token_check import TokenRules, check_token
from penchant.server.identity.token_keys import read_key_file
from tests.support.command import run

RULES = TokenRules("penchant", "penchant")


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    directory = tmp_path / "tokens"
    ran = run(["token", "keys", "--output", directory])
    assert ran.exit_code == 0, ran.output
    return directory


def issued(keys: Path, *options: str) -> str:
    ran = run(["token", "issue", "--keys", keys, *options], columns=40)
    assert ran.exit_code == 0, ran.output
    return ran.stdout.strip()


def test_a_token_says_what_it_was_asked_to_say(keys: Path) -> None:
    options = ["--scope=rank", "--scope=users:read", "--tenant=acme", "--subject=me"]
    token = issued(keys, *options, "--minutes=2", "--calls-per-s=7")
    caller = check_token(token, read_key_file(keys / "keys.json"), RULES, time.time())
    assert (caller.tenant, caller.subject, caller.calls_per_s) == ("acme", "me", 7.0)
    assert caller.scopes == {Scope.RANK, Scope.USERS_READ}
    assert caller.expires_s == pytest.approx(time.time() + 120, abs=60)


def test_the_private_key_is_for_its_owner_alone(keys: Path) -> None:
    assert (keys / "private.json").stat().st_mode & 0o077 == 0
    (public,) = json.loads((keys / "keys.json").read_text())["keys"]
    assert "d" not in public


def test_the_key_of_before_verifies_until_the_next_but_one(keys: Path) -> None:
    first = issued(keys, "--scope=rank")
    for kept in (True, False):
        assert run(["token", "keys", "--output", keys]).exit_code == 0
        public = read_key_file(keys / "keys.json")
        assert len(public) == 2
        assert check_token(issued(keys, "--scope=rank"), public, RULES, time.time())
        if kept:
            assert check_token(first, public, RULES, time.time())
    with pytest.raises(Unauthenticated, match="not among the server's"):
        check_token(first, public, RULES, time.time())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "scope: got none"),
        (["--scope=all"], "scope: got 'all', expected one of: rank, feedback"),
        (["--scope=server"], "scope: got 'server'"),
        (["--scope=rank", "--tenant=ACME"], "tenant: got 'ACME', expected 1 to 63"),
        (["--scope=rank", "--keys=/nowhere"], "make some with `penchant token keys`"),
    ],
)
def test_a_wrong_wish_is_refused_in_words(keys: Path, options: list[str], words: str) -> None:
    ran = run(["token", "issue", "--keys", keys, *options])
    assert ran.exit_code == 1
    assert words in ran.output


def test_what_is_no_token_file_is_refused_in_words(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("\n")
    for path, words in ((tmp_path / "none", "No such file"), (empty, "the file is empty")):
        ran = run(["rank", "ann", "--target=localhost:1", "--token-file", path])
        assert ran.exit_code == 1
        assert f"token-file: {words}" in ran.output
