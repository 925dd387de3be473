"""The servers that a load test starts, filled with a world's items, and ends in any case."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.status import Status

from loadtest.worlds import WORLDS
from penchant.launch import Server
from penchant.launch.model_parameters import gather
from penchant_sdk import Penchant
from tests.support.valkey_servers import ValkeyCluster6, durability, valkey_cluster

SERVERS = 2


@dataclass(frozen=True, slots=True)
class LoadedServers:
    """One server of its own store, or several on one Valkey cluster."""

    targets: Sequence[str]
    """gRPC addresses."""
    store: str
    """Address of their store."""
    scratch: Path
    """Directory for files of the run; removed at its end."""
    status: Status
    """The line that says what goes on."""
    processes: Callable[[], dict[str, int]]
    """Ids of all processes of the servers, by name."""
    nodes: Callable[[], dict[str, int]]
    """The same of the store's; none for an embedded one."""


@contextmanager
def filled_server(
    options: argparse.Namespace, encoder: Path, console: Console
) -> Iterator[LoadedServers]:
    """A server with an embedded store of its own and its items."""
    with ExitStack() as stack:
        scratch = _scratch(stack)
        world = WORLDS[options.world]
        store = f"lmdb:{scratch / 'store'}"
        status = stack.enter_context(console.status("Starting Triton"))
        server = stack.enter_context(Server(scratch, gather(store, encoder, world.settings)))
        status.update("Encoding items")
        with Penchant(server.target) as penchant:
            world.fill(penchant, options.items)
        yield LoadedServers(
            [server.target], store, scratch, status, lambda: processes_of(server), dict
        )


@contextmanager
def servers_on_a_cluster(
    options: argparse.Namespace, encoder: Path, console: Console
) -> Iterator[LoadedServers]:
    """Two servers on six Valkey nodes, which sync their log and have a replica wait for."""
    with ExitStack() as stack:
        scratch = _scratch(stack)
        world = WORLDS[options.world]
        status = stack.enter_context(console.status("Starting six Valkey nodes"))
        cluster = stack.enter_context(valkey_cluster(scratch / "nodes", *durability("always")))
        store = cluster.address_of("loadtest") + "?wait=1"
        servers: list[Server] = []
        for number in range(1, SERVERS + 1):
            status.update(f"Starting Triton {number} of {SERVERS}")
            state = f"state_dir={scratch / f'state-{number}'}"
            settings = gather(store, encoder, (*world.settings, state))
            servers.append(stack.enter_context(Server(scratch / f"server-{number}", settings)))
            if number == 1:  # The others begin with its items.
                status.update("Encoding items")
                with Penchant(servers[0].target) as penchant:
                    world.fill(penchant, options.items)
        yield LoadedServers(
            [server.target for server in servers],
            store,
            scratch,
            status,
            lambda: {
                f"server {number}: {name}": pid
                for number, server in enumerate(servers, 1)
                for name, pid in processes_of(server).items()
            },
            lambda: _nodes(cluster),
        )


def processes_of(server: Server) -> dict[str, int]:
    """The server's processes by name."""
    pid = server.pid
    return {**server.pids(), **({} if pid is None else {"tritonserver": pid})}


def _nodes(cluster: ValkeyCluster6) -> dict[str, int]:
    numbered = enumerate(cluster.nodes, 1)
    return {f"node {number}": one.process.pid for number, one in numbered if one.process}


def _scratch(stack: ExitStack) -> Path:
    directory = tempfile.TemporaryDirectory(prefix="penchant-loadtest-", ignore_cleanup_errors=True)
    return Path(stack.enter_context(directory))
