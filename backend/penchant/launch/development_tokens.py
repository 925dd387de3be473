"""Keys and tokens for development, and for deployments without an identity provider.

The directory of keys holds two files: `private.json`, which signs tokens and belongs to whoever
issues them, and `keys.json`, which verifies them and belongs to the server. Making keys again keeps
the public key of before, so that tokens under way stay good.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from penchant.domain.caller import ISSUED, TENANT_RULE, Scope, is_tenant_name
from penchant.launch.errors import LaunchError
from penchant.launch.model_parameters import HOME
from penchant.server.identity.token_keys import read_key_file
from penchant.system.durable_file import whole_file, write_whole
from penchant.system.option_types import Repeated
from penchant.system.optional_package import needs_extra
from penchant.system.strict_json import read_json
from penchant.system.whole_directory import check_makeable

PRIVATE, PUBLIC = "private.json", "keys.json"
KEYS = HOME / "tokens"
"""Default directory of the keys."""
KEPT_KEYS = 2
"""Public keys in the file: the one in use, and the one before it."""
_ALGORITHM = "EdDSA"


@dataclass(frozen=True, slots=True)
class KeysRequest:
    """Where to keep the keys."""

    output: Path = KEYS
    """Directory of the keys; the private one is readable by this user alone."""


@dataclass(frozen=True, slots=True)
class KeysMade:
    """The files that were written."""

    private: Path
    public: Path
    kid: str
    """Id of the new key."""
    kept: tuple[str, ...]
    """Ids of the keys of before that still verify tokens."""


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What a token says."""

    scope: Annotated[Repeated, Parameter(metavar="SCOPE")] = ()
    """What the token allows: rank, feedback, catalog, users:read, users:forget or admin;
    repeatable."""
    tenant: str = ""
    """Tenant whose store the token's calls work on; none: the server's own store."""
    subject: str = "developer"
    """Name of the caller."""
    minutes: Annotated[float, Parameter(validator=Number(gt=0, lte=525_600))] = 60.0
    """Minutes until the token expires."""
    calls_per_s: Annotated[float | None, Parameter(validator=Number(gt=0))] = None
    """Calls per second that the token allows at most; none: as the server's limits say."""
    issuer: str = "penchant"
    """Issuer to name, as the server's token_issuer."""
    audience: str = "penchant"
    """Audience to name, as the server's token_audience."""
    keys: Path = KEYS
    """Directory of the keys."""


def make_keys(request: KeysRequest) -> KeysMade:
    """Makes a key pair (Ed25519); the public key of before stays beside the new one.

    Raises:
        LaunchError: a file cannot be written, or the keys of before cannot be read.
        ConfigError: the package for tokens is missing, the output is no directory, or the keys of
            before are no keys.
    """
    jwk = _jwk()
    check_makeable(request.output)
    private, public = request.output / PRIVATE, request.output / PUBLIC
    before: list[Any] = []
    if public.exists():
        read_key_file(public)  # Which refuses what is no such file.
        before = read_json(public.read_text())["keys"][: KEPT_KEYS - 1]
    key = jwk.OKPKey.generate_key("Ed25519").as_dict(private=True)
    kid = secrets.token_hex(8)
    named = {**key, "kid": kid, "alg": _ALGORITHM, "use": "sig"}
    shown = {name: value for name, value in named.items() if name != "d"}
    try:
        with whole_file(private, private=True) as file:
            file.write(json.dumps(named).encode())
        write_whole(public, json.dumps({"keys": [shown, *before]}, indent=2) + "\n")
    except OSError as error:
        raise LaunchError(f"output: the keys can't be written: {error.strerror}") from error
    return KeysMade(private, public, kid, tuple(str(one.get("kid")) for one in before))


def issue_token(request: TokenRequest) -> str:
    """A signed token.

    Raises:
        LaunchError: there is no key, or a scope or the tenant is none.
        ConfigError: the package for tokens is missing.
    """
    jwk = _jwk()
    from joserfc import jws

    from penchant.server.identity.two_algorithms import REGISTRY

    _check(request)
    path = request.keys / PRIVATE
    try:
        member = read_json(path.read_text())
        key = jwk.OKPKey.import_key(member)
        header = {"alg": _ALGORITHM, "typ": "JWT", "kid": member["kid"]}
    except FileNotFoundError:
        raise LaunchError(
            f"keys: none in {request.keys}; make some with `penchant token keys`"
        ) from None
    except Exception as error:
        raise LaunchError(f"keys: {path} can't be read as a private key") from error
    now_s = int(time.time())
    claims: dict[str, object] = {
        "iss": request.issuer,
        "aud": request.audience,
        "sub": request.subject,
        "scope": " ".join(request.scope),
        "iat": now_s,
        "exp": now_s + round(request.minutes * 60),
        "jti": secrets.token_hex(8),
    }
    if request.tenant:
        claims["tenant"] = request.tenant
    if request.calls_per_s is not None:
        claims["calls_per_s"] = request.calls_per_s
    return jws.serialize_compact(header, json.dumps(claims), key, registry=REGISTRY)


def _check(request: TokenRequest) -> None:
    known = {scope.value for scope in ISSUED}
    expected = ", ".join(scope.value for scope in Scope if scope in ISSUED)
    if not request.scope:
        raise LaunchError(f"scope: got none, expected one or more of: {expected}")
    for scope in request.scope:
        if scope not in known:
            raise LaunchError(f"scope: got {scope!r}, expected one of: {expected}")
    if request.tenant and not is_tenant_name(request.tenant):
        raise LaunchError(f"tenant: got {request.tenant!r}, expected {TENANT_RULE}")
    if not request.subject:
        raise LaunchError("subject: got none, expected the caller's name")


def _jwk() -> Any:
    with needs_extra("token", "backend"):
        from joserfc import jwk
    return jwk
