"""Tells who makes each call to one model process: by its token, which is verified once.

A verified token is kept until it expires or the keys change, by its own digest and by that of the
parameters that carried it, so that the next call like it costs a digest and one look-up.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from penchant.config import Config, store_directory
from penchant.domain.caller import Caller, Scope, is_tenant_name
from penchant.domain.errors import PenchantError, Unauthenticated
from penchant.server.identity.forwarded import bearer_of
from penchant.server.identity.rate_limits import RateLimits
from penchant.server.identity.server_secret import server_secret
from penchant.server.identity.token_check import SKEW_S, TokenRules, check_token
from penchant.server.identity.token_keys import KeyFile

MOST_KEPT = 10_000
"""Digests in memory, at most."""
MOST_AROUND = 40
"""Characters around a token where the parameters hold nothing else."""
OTHER_TENANTS = "other"
"""The label of all tenants beyond the limit, so that metrics stay bounded."""


class IdentityMeter(Protocol):
    """Receives what is counted here."""

    def refused_caller(self, cause: str, tenant: str) -> None:
        """A call was refused for its caller; the tenant is empty where none is verified."""
        ...

    def token_keys_read(self, good: bool) -> None:
        """The file of keys was read again."""
        ...


@dataclass(frozen=True, slots=True)
class _Kept:
    caller: Caller
    valid_until_s: float


class Callers:
    """The callers of one model process; used by one thread at a time."""

    def __init__(
        self,
        key_file: KeyFile,
        rules: TokenRules,
        limits: RateLimits,
        secret: str,
        tenant_limit: int,
        meter: IdentityMeter,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        """Knows nobody yet.

        Args:
            key_file: the keys.
            rules: what every token must claim.
            limits: of calls per second.
            secret: of the server's own processes.
            tenant_limit: tenants that get a label of their own in metrics.
            meter: counts refusals.
            now_s: the time in epoch seconds.
        """
        self._key_file = key_file
        self._rules = rules
        self._limits = limits
        self._secret = secret.encode()
        self._tenant_limit = tenant_limit
        self._meter = meter
        self._now_s = now_s
        self._kept: dict[bytes, _Kept] = {}
        self._labels: set[str] = set()

    @property
    def parameters(self) -> dict[str, str | int | bool]:
        """The parameters by which this process shows another model that it is of the server."""
        return {"authorization": f"Bearer {self._secret.decode()}"}

    def of(self, parameters: str) -> Caller | PenchantError:
        """The caller of a request, or its refusal, which is counted.

        Args:
            parameters: the request's parameters, as Triton gives them.
        """
        tenant = ""
        try:
            caller = self._caller(parameters)
            if caller.is_server:
                return caller
            tenant = caller.tenant
            if self._limits.bound(caller):
                self._limits.admit(caller, time.monotonic())
        except PenchantError as error:
            self.count(error, tenant)
            return error
        return caller

    def refused_bytes(self) -> PenchantError:
        """The refusal of a request whose parameters are no text, counted."""
        error = Unauthenticated(
            "authorization: got bytes that are no text, expected `Bearer` and a token", "malformed"
        )
        self.count(error, "")
        return error

    def count(self, error: PenchantError, tenant: str) -> None:
        """Counts a refusal, if the error is one that the caller's identity causes."""
        if error.cause:
            self._meter.refused_caller(error.cause, self.label(tenant))

    def label(self, tenant: str) -> str:
        """The tenant's label in metrics: its name, or `other` beyond the limit."""
        if tenant not in self._labels:
            if len(self._labels) > self._tenant_limit:
                return OTHER_TENANTS
            self._labels.add(tenant)
        return tenant

    def _caller(self, parameters: str) -> Caller:
        if self._key_file.look():
            self._kept.clear()
        now_s = self._now_s()
        whole = _digest(parameters)
        kept = self._kept.get(whole)
        if kept is not None and now_s < kept.valid_until_s:
            return kept.caller
        token, named = bearer_of(parameters)
        digest = _digest(token)
        kept = self._kept.get(digest)
        if kept is None or now_s >= kept.valid_until_s:
            if hmac.compare_digest(token.encode(), self._secret):
                tenant = named if is_tenant_name(named) else ""
                return Caller(tenant, "", frozenset({Scope.SERVER}))
            caller = check_token(token, self._key_file.keys, self._rules, now_s)
            kept = _Kept(caller, caller.expires_s + SKEW_S)
            self._keep(digest, kept, now_s)
        if len(parameters) - len(token) < MOST_AROUND:  # Else each call may be another.
            self._keep(whole, kept, now_s)
        return kept.caller

    def _keep(self, digest: bytes, kept: _Kept, now_s: float) -> None:
        if len(self._kept) >= MOST_KEPT:
            self._forget_some(now_s)
        self._kept[digest] = kept

    def _forget_some(self, now_s: float) -> None:
        """Forgets the tokens that have expired; without any, the one kept the longest."""
        expired = [digest for digest, kept in self._kept.items() if kept.valid_until_s <= now_s]
        for digest in expired or [next(iter(self._kept))]:
            del self._kept[digest]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


def callers_of(config: Config, processes: int, meter: IdentityMeter) -> Callers | None:
    """The callers of a model process; None for a server that asks for no tokens.

    Args:
        config: the settings.
        processes: processes of the model, which share each limit on calls evenly.
        meter: counts refusals.

    Raises:
        ConfigError: the file of keys can't be read, or the package for tokens is missing.
        StoreUnavailable: the store's directory can't be written.
    """
    if config.token_keys is None:
        return None
    return Callers(
        KeyFile(config.token_keys, meter.token_keys_read),
        TokenRules(config.token_issuer, config.token_audience),
        RateLimits(config.tenant_calls_per_s, config.caller_calls_per_s, 1.0 / processes),
        server_secret(store_directory(config)),
        config.tenant_limit,
        meter,
    )
