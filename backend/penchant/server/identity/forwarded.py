"""The token of a request, as Triton forwards the header that carries it.

Triton hands a model the forwarded headers and the parameters of the request's body as one JSON
object, in which a name may stand twice, and the two can't be told apart. So a token counts only if
it is the one value of its name; what it claims counts only once its signature is verified.
"""

from __future__ import annotations

import json
from typing import Any

from penchant.domain.errors import Unauthenticated

HEADER = "authorization"
"""The header, and the metadata of gRPC, that carries a token as `Bearer TOKEN`."""
TENANT_PARAMETER = "penchant-tenant"
"""The parameter by which one model of the server tells another whom it works for."""

_SCHEME = "bearer "
_DECODER = json.JSONDecoder(object_pairs_hook=list)


def bearer_of(parameters: str) -> tuple[str, str]:
    """The token of a request's parameters, and the tenant that a model of the server names.

    Raises:
        Unauthenticated: there is no token, or more than one value of its name.

    >>> bearer_of('{"authorization": "Bearer abc"}')
    ('abc', '')
    >>> bearer_of('{"authorization": "Bearer abc", "Authorization": "Bearer abc"}')
    Traceback (most recent call last):
    penchant.domain.errors.Unauthenticated: authorization: got 2 values, expected one; ...
    """
    try:
        pairs: Any = _DECODER.decode(parameters or "{}")
    except (ValueError, RecursionError):
        raise Unauthenticated(
            "authorization: the parameters can't be read, expected `Bearer` and a token",
            "malformed",
        ) from None
    values, tenant = [], ""
    for name, value in pairs:
        if len(name) == len(HEADER) and name.lower() == HEADER:
            values.append(value)
        elif name == TENANT_PARAMETER:
            tenant = value if isinstance(value, str) else ""
    if len(values) != 1:
        if not values:
            raise Unauthenticated(
                "authorization: missing, expected `Bearer` and a token; pass `token` to the client",
                "missing",
            )
        raise Unauthenticated(
            f"authorization: got {len(values)} values, expected one; send it as metadata or header "
            "alone, not as a parameter too",
            "duplicate",
        )
    (value,) = values
    if not isinstance(value, str) or value[: len(_SCHEME)].lower() != _SCHEME:
        raise Unauthenticated(
            "authorization: got another scheme, expected `Bearer` and a token", "malformed"
        )
    token = value[len(_SCHEME) :].strip()
    if not token.isascii():
        raise Unauthenticated(
            "authorization: got a token with odd characters, expected base64url", "malformed"
        )
    return token, tenant
