"""The options by which a server asks its callers for tokens, and what a server may do without."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from penchant.launch.errors import LaunchError
from penchant.launch.ports import Hosts

_PLACES = {
    "--grpc-address": "--host",
    "--http-address": "--http-host",
    "--grpc-header-forward-pattern": "--token-keys",
    "--http-header-forward-pattern": "--token-keys",
}
"""Triton's arguments that decide who reaches it, and the options that set them."""


@dataclass(frozen=True, slots=True)
class TokenOptions:
    """The keys and the claims of callers' tokens; without keys, everybody may do everything."""

    token_keys: Path | None = None
    """File with the public keys of callers' tokens (JWKS), which is read again when it changes;
    `penchant token keys` makes one."""
    token_issuer: str | None = None
    """Issuer that every token must name; penchant by default."""
    token_audience: str | None = None
    """Audience that every token must name; penchant by default."""

    def settings(self) -> Iterator[str]:
        """The given ones as settings of the models, each `NAME=VALUE`."""
        for name in ("token_keys", "token_issuer", "token_audience"):
            value = getattr(self, name)
            if value is not None:
                yield f"{name}={value}"


NO_TOKENS = TokenOptions()
"""No option given; a setting may ask for tokens all the same."""


def check_exposure(
    hosts: Hosts, parameters: Mapping[str, str], arguments: Iterable[str], *, insecure: bool
) -> None:
    """Refuses a server that other machines reach, and that does not know its callers.

    Args:
        hosts: the addresses to listen on.
        parameters: of the models.
        arguments: further arguments for Triton.
        insecure: serve all the same.

    Raises:
        LaunchError: it would be open to everybody, or an argument for Triton sets what an option
            of Penchant's decides.
    """
    for argument in arguments:
        option = _PLACES.get(argument.partition("=")[0])
        if option is not None:
            raise LaunchError(
                f"--triton-arg: got {argument!r}, expected {option}, which decides who may call"
            )
    doors = [name for name in hosts.public() if name != "metrics"]
    if not doors or parameters.get("token_keys") or insecure:
        return
    where = " and ".join(f"{name} on {hosts.of(name)}" for name in doors)
    raise LaunchError(
        f"host: got {where}, which other machines reach, without --token-keys: whoever reaches it "
        "could read, change and forget every user. Make keys with `penchant token keys` and serve "
        "with --token-keys, stay on 127.0.0.1, or, behind a network that only your own "
        "applications reach, serve with --insecure"
    )
