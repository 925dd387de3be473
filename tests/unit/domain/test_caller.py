"""Scopes: every method needs one, every scope is good for something."""

from __future__ import annotations

import pytest

from penchant.domain.caller import ISSUED, LOCAL, SCOPES_OF_VERB, Caller, Scope
from penchant_proto.methods import METHODS


def test_every_method_of_the_contract_has_its_scopes() -> None:
    assert SCOPES_OF_VERB.keys() == METHODS.keys()
    assert all(scopes - {Scope.SERVER} for scopes in SCOPES_OF_VERB.values())


def test_every_scope_but_admin_is_that_of_some_method() -> None:
    assert frozenset[Scope]().union(*SCOPES_OF_VERB.values()) == frozenset(Scope) - {Scope.ADMIN}


@pytest.mark.parametrize("verb", METHODS)
def test_a_caller_may_what_a_scope_allows_and_admin_everything(verb: str) -> None:
    for scope in ISSUED:
        allowed = scope in SCOPES_OF_VERB[verb] or scope is Scope.ADMIN
        assert Caller("t", "s", frozenset({scope})).may(verb) is allowed
    assert LOCAL.may(verb)
    assert not Caller("t", "s", frozenset()).may(verb)
