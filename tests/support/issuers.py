"""Somebody who signs tokens, honestly or not, and the file of keys that a server trusts."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.jwk import OKPKey, RSAKey

from penchant.server.identity.two_algorithms import REGISTRY

CLAIMS = {"iss": "penchant", "aud": "penchant", "sub": "a-shop"}


class Issuer:
    """One key pair; signs with any header and any claims."""

    def __init__(self, kid: str, kind: str = "EdDSA", **members: object) -> None:
        self.kid = kid
        self.algorithm = kind
        self._key: Any = (
            OKPKey.generate_key("Ed25519") if kind == "EdDSA" else RSAKey.generate_key(2048)
        )
        self._members = members

    @property
    def jwk(self) -> dict[str, object]:
        """The public key, as a server's file holds it."""
        return {**self._key.as_dict(private=False), "kid": self.kid, **self._members}

    @property
    def private_jwk(self) -> dict[str, object]:
        return {**self._key.as_dict(private=True), "kid": self.kid}

    def token(
        self,
        scope: str = "admin",
        tenant: str = "",
        /,
        header: Mapping[str, object] | None = None,
        **claims: object,
    ) -> str:
        """A token; a claim of None is left out. It is good for five minutes by default."""
        now = time.time()
        every: dict[str, object] = {**CLAIMS, "iat": now, "exp": now + 300, "scope": scope}
        if tenant:
            every["tenant"] = tenant
        every |= claims
        said = {name: value for name, value in every.items() if value is not None}
        heading = {"alg": self.algorithm, "kid": self.kid, **(header or {})}
        return self.sign(heading, json.dumps(said).encode())

    def sign(self, header: Mapping[str, object], claims: bytes) -> str:
        return jws.serialize_compact(dict(header), claims, self._key, registry=REGISTRY)

    def confused(self, tenant: str = "") -> str:
        """A token whose HS256 signature takes the public key's text for a shared secret."""
        pem = self._key.as_pem(private=False)
        claims = {**CLAIMS, "exp": time.time() + 300, "scope": "admin", "tenant": tenant or "acme"}
        text = f"{part({'alg': 'HS256', 'kid': self.kid})}.{part(claims)}"
        return f"{text}.{encoded(hmac.new(pem, text.encode(), hashlib.sha256).digest())}"


def write_keys(path: Path, *issuers: Issuer) -> Path:
    """Replaces the file as a careful operator does: at once."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"keys": [issuer.jwk for issuer in issuers]}))
    fresh.replace(path)
    return path


def part(value: object) -> str:
    """A header or claims, as a token carries them."""
    return encoded(json.dumps(value).encode())


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
