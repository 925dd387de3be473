"""The arguments with which Triton serves Penchant: for `penchant serve`, and for `install`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from penchant.launch.ports import Hosts, Ports
from penchant.launch.shared_memory import REGION_BYTES
from penchant.server.identity.forwarded import HEADER
from penchant.server.triton.traces import HEADER as TRACE_HEADER

KEY_NAME = "admin-key"
"""Name of the key, and HTTP's header for it."""

GRPC_HEADER = f"triton-grpc-protocol-{KEY_NAME}"
"""The metadata by which gRPC carries the key."""

RESTRICTED = (
    "shared-memory",
    "model-repository",
    "model-config",
    "statistics",
    "trace",
    "logging",
)
"""Protocols that no client of Penchant needs. Through them anybody could map the regions of the
models, read the paths in their configurations, and change what the server logs and traces."""

_REPOSITORY_OPTIONS = ("--model-repository", "--model-store")


def closed_doors(key: str) -> list[str]:
    """Arguments that close Triton's side doors to all who do not know the key."""
    rule = f"{','.join(RESTRICTED)}:{KEY_NAME}={key}"
    return [f"--grpc-restricted-protocol={rule}", f"--http-restricted-api={rule}"]


def forwarded_headers(parameters: Mapping[str, str], *, traced: bool = False) -> list[str]:
    """Arguments that hand headers of callers to the models: tokens, and where traces go on.

    Args:
        parameters: of the models; those of a server that asks for tokens name its keys.
        traced: whether the models export traces.
    """
    names = [HEADER] if parameters.get("token_keys") else []
    names += [TRACE_HEADER] if traced else []
    pattern = names[0] if len(names) == 1 else f"({'|'.join(names)})"
    return [f"--{door}-header-forward-pattern={pattern}" for door in ("grpc", "http") if names]


def region_sizes() -> list[str]:
    """Arguments for the models' shared memory, which some Tritons make 64 MiB each by default.

    Settings of the Python backend apply to all backends written in Python.
    """
    return [
        f"--backend-config=python,shm-default-byte-size={REGION_BYTES}",
        f"--backend-config=python,shm-growth-byte-size={REGION_BYTES}",
    ]


def region_prefix(prefix: str) -> list[str]:
    """Arguments that make the names of the models' shared-memory regions begin with a prefix."""
    return [f"--backend-config=python,shm-region-prefix-name={prefix}"]


def listening(hosts: Hosts, ports: Ports) -> list[str]:
    """Arguments for the addresses and ports."""
    return [
        part
        for name, port in ports.items()
        for part in (
            f"--{name}-address={_for_triton(name, hosts.of(name))}",
            f"--{name}-port={port}",
        )
    ]


def completion(further: Iterable[str]) -> list[str]:
    """The argument that keeps Triton from completing configurations, which takes 2 seconds.

    Penchant's are complete. Other people's models may not be, so it is left out where the further
    arguments name another model repository.
    """
    if any(argument.startswith(_REPOSITORY_OPTIONS) for argument in further):
        return []
    return ["--disable-auto-complete-config"]


def _for_triton(name: str, host: str) -> str:
    """An address as that endpoint of Triton takes it: each has its own way to write IPv6.

    >>> _for_triton("grpc", "::1"), _for_triton("http", "::1"), _for_triton("http", "127.0.0.1")
    ('[::1]', 'ipv6:::1', '127.0.0.1')
    """
    if ":" not in host:
        return host
    return f"[{host}]" if name == "grpc" else f"ipv6:{host}"
