"""Who makes a call, and what the caller may do."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

_TENANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class Scope(StrEnum):
    """A permission, as a token's claim `scope` names it."""

    RANK = "rank"
    """Ranks, and reads items and vectors of texts."""
    FEEDBACK = "feedback"
    """Reports events and reserves impressions."""
    CATALOG = "catalog"
    """Puts, deletes and reads items."""
    USERS_READ = "users:read"
    """Reads and exports users."""
    USERS_FORGET = "users:forget"
    """Forgets users, and merges one into another."""
    ADMIN = "admin"
    """Everything that its tenant's other scopes allow together."""
    SERVER = "server"
    """The server itself: its health checks, and calls between its models. No token gives it."""


ISSUED = frozenset(Scope) - {Scope.SERVER}
"""The scopes that a token may give."""

SCOPES_OF_VERB: Mapping[str, frozenset[Scope]] = {
    "rank": frozenset({Scope.RANK}),
    "embed": frozenset({Scope.RANK, Scope.SERVER}),
    "feedback": frozenset({Scope.FEEDBACK}),
    "reserve": frozenset({Scope.FEEDBACK}),
    "put_items": frozenset({Scope.CATALOG}),
    "delete_items": frozenset({Scope.CATALOG}),
    "get_items": frozenset({Scope.CATALOG, Scope.RANK}),
    "get_user": frozenset({Scope.USERS_READ}),
    "export_user": frozenset({Scope.USERS_READ}),
    "forget_user": frozenset({Scope.USERS_FORGET}),
    "merge_users": frozenset({Scope.USERS_FORGET}),
}
"""The scopes of each method of the contract, of which a caller needs one; `admin` has them all."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The verified maker of a call."""

    tenant: str
    """The tenant whose store the call works on; empty: the server's own store."""
    subject: str
    """The caller's name at its issuer; empty: unknown."""
    scopes: frozenset[Scope]
    expires_s: float = math.inf
    """Epoch seconds from which the token is no longer valid."""
    calls_per_s: float = math.inf
    """The most calls per second that the token allows its caller."""

    def may(self, verb: str) -> bool:
        """Whether the caller's scopes cover a method of the contract, by its field in `Call`.

        >>> reader = Caller("acme", "shop", frozenset({Scope.RANK}))
        >>> reader.may("rank"), reader.may("feedback")
        (True, False)
        """
        return Scope.ADMIN in self.scopes or not self.scopes.isdisjoint(SCOPES_OF_VERB[verb])

    @property
    def is_server(self) -> bool:
        """Whether the server itself calls, or a server without tokens can't tell."""
        return Scope.SERVER in self.scopes


LOCAL = Caller("", "", frozenset(Scope))
"""Every caller of a server that asks for no tokens."""


def is_tenant_name(text: str) -> bool:
    """Whether a text can name a tenant, and so a directory on any file system.

    >>> [is_tenant_name(text) for text in ("acme", "shop-7", "", "Acme", "../acme", "a" * 64)]
    [True, True, False, False, False, False]
    """
    return _TENANT.fullmatch(text) is not None


TENANT_RULE = "1 to 63 lower-case letters, digits, _ and -, the first a letter or a digit"
"""The rule of `is_tenant_name`, for people."""
