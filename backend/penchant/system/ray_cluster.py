"""Work in shares by the nodes of a Ray cluster (Moritz et al., "Ray", OSDI 2018).

Each node needs Penchant in the release of the caller, and reaches stores and directories under the
same names. A share whose node or process died is made again by another one.
"""

from __future__ import annotations

import logging
import os
import pickle
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from penchant.domain.errors import ConfigError
from penchant.system.local_workers import MOST_DEATHS
from penchant.system.optional_package import needs_extra

LOCAL = "local"
"""The address that begins a cluster of this machine alone, which ends with the work."""

_REACH_S = 5.0
_AHEAD = 2
"""Shares under way for each processor of the cluster."""

_Share = TypeVar("_Share")
_Result = TypeVar("_Result")


def worked_on_ray(
    work: Callable[[_Share], _Result], shares: Sequence[_Share], address: str
) -> Iterator[_Result]:
    """Yields the results of shares, in their order.

    Args:
        work: a function of a module, without memory of other shares.
        shares: what can be pickled, and so the results.
        address: of the cluster, or `local`.

    Raises:
        ConfigError: Ray is not installed or not to be reached, or processes died again and again.
        Exception: what `work` raised.
    """
    with _joined(address) as ray:
        task = ray.remote(max_retries=MOST_DEATHS)(_packed_result)
        most = max(2, _AHEAD * int(ray.cluster_resources().get("CPU", 1)))
        under_way: dict[Any, int] = {}
        done: dict[int, _Result] = {}
        sent = given = 0
        while given < len(shares):
            while sent < len(shares) and len(under_way) < most and sent < given + 2 * most:
                under_way[task.remote(work, pickle.dumps(shares[sent]))] = sent
                sent += 1
            (ready,), _ = ray.wait([*under_way], num_returns=1)
            done[under_way.pop(ready)] = _result(ray, ready)
            while given in done:
                yield done.pop(given)
                given += 1


def _packed_result(work: Callable[[Any], Any], share: bytes) -> bytes:
    """Does one share, packed both ways: Ray itself would give arrays that can't be written to."""
    return pickle.dumps(work(pickle.loads(share)))


def refuse_elsewhere(address: str, what: str) -> None:
    """Refuses a cluster with other nodes than this machine's.

    Args:
        address: of the cluster.
        what: option and value that only this machine can use; begins the message.

    Raises:
        ConfigError: there are such nodes, or Ray is not installed or not to be reached.
    """
    if address == LOCAL:
        return
    with _joined(address) as ray:
        here = ray.util.get_node_ip_address()
        nodes = {node["NodeManagerAddress"] for node in ray.nodes() if node["Alive"]}
    others = sorted(nodes - {here})
    if others:
        raise ConfigError(
            f"{what}, which {others[0]} and other nodes of --ray {address} can't reach; use "
            "--workers N on this machine, or move the store to Valkey (`penchant migrate`)"
        )


@contextmanager
def _joined(address: str) -> Iterator[Any]:
    """Ray, joined to a cluster during the body; one that the process had joined already stays."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # It would call home.
    with needs_extra("--ray", "ray"):
        import ray
    if ray.is_initialized():
        yield ray
        return
    options: dict[str, Any] = {"address": address}
    if address == LOCAL:
        options["include_dashboard"] = False
    try:
        _reach(address)
        ray.init(
            log_to_driver=False, logging_level=logging.ERROR, configure_logging=False, **options
        )
    except (OSError, RuntimeError, ValueError) as error:
        why = " ".join(str(error).split())[:200]
        raise ConfigError(
            f"--ray: got {address!r}, expected the address of a Ray cluster that runs, such as "
            f"head.example:6379, or {LOCAL}: {why}"
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """Raises OSError or ValueError at once where nobody listens; Ray itself would wait for long."""
    host, colon, port = address.rpartition(":")
    if colon and "//" not in address:
        socket.create_connection((host, int(port)), timeout=_REACH_S).close()


def _result(ray: Any, ready: Any) -> Any:
    try:
        return pickle.loads(ray.get(ready))
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError) as error:
        raise ConfigError(
            f"--ray: processes died {MOST_DEATHS + 1} times at the same share, perhaps since "
            "memory is short; give the nodes more"
        ) from error
