"""Callers of one process: a token is verified once, and not a moment longer than it is good."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.caller import Caller
from penchant.domain.errors import Overloaded, PenchantError, StoreUnavailable, Unauthenticated
from penchant.server.identity import callers as module
from penchant.server.identity import token_keys
from penchant.server.identity.callers import MOST_KEPT, Callers
from penchant.server.identity.forwarded import bearer_of
from penchant.server.identity.rate_limits import RateLimits
from penchant.server.identity.server_secret import NAME, server_secret
from penchant.server.identity.token_check import SKEW_S, TokenRules, check_token
from penchant.server.identity.token_keys import KeyFile, read_key_file
from tests.support.issuers import Issuer, write_keys

ISSUER = Issuer("one")
RULES = TokenRules("penchant", "penchant")
SECRET = "s" * 64


class Counts:
    """Counts refusals by cause and tenant."""

    def __init__(self) -> None:
        self.refusals: Counter[tuple[str, str]] = Counter()
        self.verified = 0
        self.now_s = time.time()

    def refused_caller(self, cause: str, tenant: str) -> None:
        self.refusals[cause, tenant] += 1

    def token_keys_read(self, good: bool) -> None:
        pass


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    counts = Counts()

    def counting(*arguments: object) -> Caller:
        counts.verified += 1
        return check_token(*arguments)  # type: ignore[arg-type]  # As it was called.

    monkeypatch.setattr(module, "check_token", counting)
    monkeypatch.setattr(token_keys, "LOOK_EVERY_S", 0.0)
    return counts


def callers_at(path: Path, counts: Counts, limits: RateLimits | None = None) -> Callers:
    return Callers(
        KeyFile(path, counts.token_keys_read),
        RULES,
        limits or RateLimits(0.0, 0.0, 1.0),
        SECRET,
        2,
        counts,
        lambda: counts.now_s,
    )


@pytest.fixture
def callers(tmp_path: Path, counts: Counts) -> Callers:
    return callers_at(write_keys(tmp_path / "keys.json", ISSUER), counts)


def shown(token: str, **others: str) -> str:
    return json.dumps({"authorization": f"Bearer {token}", **others})


def test_a_token_is_verified_once_and_again_when_it_has_expired(
    callers: Callers, counts: Counts
) -> None:
    token = ISSUER.token("rank", "acme", exp=counts.now_s + 60)
    parameters = shown(token)
    first = callers.of(parameters)
    assert isinstance(first, Caller)
    assert (first.tenant, first.subject) == ("acme", "a-shop")
    assert callers.of(parameters) is first
    assert callers.of(shown(token, traceparent="00-1-2-3")) is first
    assert counts.verified == 1
    counts.now_s += 60 + SKEW_S
    refusal = callers.of(parameters)
    assert isinstance(refusal, Unauthenticated)
    assert counts.refusals == {("expired", ""): 1}


def test_a_key_that_is_taken_away_takes_its_verified_tokens_along(
    tmp_path: Path, callers: Callers
) -> None:
    parameters = shown(ISSUER.token("rank", "acme"))
    assert isinstance(callers.of(parameters), Caller)
    write_keys(tmp_path / "keys.json", Issuer("two"))
    assert isinstance(callers.of(parameters), Unauthenticated)


def test_what_is_kept_is_bounded(callers: Callers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 3)
    assert MOST_KEPT > 3
    for number in range(10):
        assert isinstance(callers.of(shown(ISSUER.token("rank", sub=f"s{number}"))), Caller)
    assert len(callers._kept) == 3  # Of each token, two digests.


def test_the_server_is_known_by_its_secret_and_names_whom_it_works_for(callers: Callers) -> None:
    found = callers.of(json.dumps({**callers.parameters, "penchant-tenant": "acme"}))
    assert isinstance(found, Caller)
    assert found.is_server
    assert found.tenant == "acme"
    assert isinstance(callers.of(shown(SECRET[1:])), Unauthenticated)
    token = shown(ISSUER.token("rank", "bravo"), **{"penchant-tenant": "acme"})
    named = callers.of(token)
    assert isinstance(named, Caller)
    assert named.tenant == "bravo"


def test_a_metrics_label_is_a_known_tenant_or_other(callers: Callers) -> None:
    labels = [callers.label(tenant) for tenant in ("", "a", "b", "c", "d", "a")]
    assert labels == ["", "a", "b", "other", "other", "a"]


@given(
    st.dictionaries(
        st.sampled_from(["authorization", "AUTHORIZATION"]) | st.text(max_size=14),
        st.text(max_size=9).map("Bearer {}".format) | st.text(max_size=9) | st.integers(),
        max_size=3,
    )
)
def test_any_parameters_are_read_or_refused(parameters: dict[str, object]) -> None:
    try:
        token, _ = bearer_of(json.dumps(parameters))
    except Unauthenticated:
        return
    assert any(str(value).lower().startswith("bearer ") for value in parameters.values())
    assert token == token.strip()


@given(st.data())
def test_no_change_of_a_token_leaves_it_good(data: st.DataObject) -> None:
    keys = {"one": KEY}
    place = data.draw(st.integers(0, len(TOKEN) - 1))
    letter = data.draw(st.sampled_from("AQgwZ09-_.=~ \n\x00é"))
    changed = TOKEN[:place] + letter + TOKEN[place + 1 :]
    cut = data.draw(st.sampled_from([changed, TOKEN[:place], TOKEN + letter, letter + TOKEN]))
    if cut == TOKEN or _same_bytes(cut):
        return
    with pytest.raises(PenchantError) as refusal:
        check_token(cut, keys, RULES, NOW_S)
    assert refusal.value.cause


def _same_bytes(token: str) -> bool:
    """Whether only the bits differ that base64url leaves unused at the end of the signature."""
    return token[:-1] == TOKEN[:-1] and len(token) == len(TOKEN)


NOW_S = time.time()
TOKEN = ISSUER.token("rank", "acme")


def _key() -> token_keys.TokenKey:
    return token_keys.read_keys(json.dumps({"keys": [ISSUER.jwk]}))["one"]


KEY = _key()


def test_the_file_that_a_server_reads_is_the_one_that_was_written(tmp_path: Path) -> None:
    path = write_keys(tmp_path / "keys.json", ISSUER)
    caller = check_token(TOKEN, read_key_file(path), RULES, NOW_S)
    assert caller.expires_s == pytest.approx(NOW_S + 300, abs=30)
    assert caller.calls_per_s == math.inf


def test_limits_hold_for_each_caller_and_for_each_tenant_together() -> None:
    limits = RateLimits(per_tenant=4.0, per_caller=4.0, share=0.5)

    def admitted(tenant: str, subject: str, now_s: float, own: float = math.inf) -> int:
        count = 0
        for _ in range(9):
            caller = Caller(tenant, subject, frozenset(), calls_per_s=own)
            try:
                limits.admit(caller, now_s)
            except Overloaded as error:
                refusals.append(error)
            else:
                count += 1
        return count

    refusals: list[Overloaded] = []

    assert admitted("acme", "ann", 0.0) == 2  # Two processes share four calls a second.
    assert admitted("acme", "bob", 0.0) == 0  # The tenant has none left.
    assert admitted("bravo", "ann", 0.0, own=2.0) == 1
    assert admitted("acme", "ann", 1.0) == 2
    assert admitted("acme", "ann", 1000.0) == 2  # No more than those of a second are saved up.
    assert {error.cause for error in refusals} == {"caller_rate", "tenant_rate"}
    assert all("retry after" in str(error) for error in refusals)


@pytest.mark.parametrize("content", [b"", b"short", b"\xff\xfe" * 40])
def test_a_damaged_secret_of_the_server_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    secret = server_secret(tmp_path)
    assert server_secret(tmp_path) == secret
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(StoreUnavailable, match=f"{NAME} is damaged; delete it and start"):
        server_secret(tmp_path)
