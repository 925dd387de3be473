"""What the servers of a store promise about its commits, as they are configured."""

from __future__ import annotations

from dataclasses import dataclass

from penchant.domain.errors import StoreUnavailable
from penchant.store.valkey.valkey_nodes import ValkeyNodes


@dataclass(frozen=True, slots=True)
class ServerDurability:
    """The weakest of all primaries."""

    logged: bool
    """Whether writes are logged (`appendonly`), so that they survive the servers' death."""
    synced: str
    """When the log is synced to disk: `always`, `everysec`, `no`, or empty where it isn't known."""
    replicas: int
    """Replicas that each primary has at least."""
    min_replicas: int
    """Replicas without which a primary refuses writes (`min-replicas-to-write`)."""
    wait: int
    """Replicas that have each commit before it is acknowledged."""
    maxmemory_policy: str = "noeviction"

    @property
    def promise(self) -> str:
        """What an acknowledged commit survives, in words.

        >>> ServerDurability(True, "always", 1, 0, 1).promise
        'logged and synced before it is acknowledged; 1 replica has it by then'
        >>> ServerDurability(False, "", 0, 0, 0).promise
        'not logged: it is lost with the server'
        """
        if not self.logged:
            kept = "not logged: it is lost with the server"
        elif self.synced == "always":
            kept = "logged and synced before it is acknowledged"
        elif self.synced == "everysec":
            kept = "logged, and synced within a second: a power cut may lose that second"
        else:
            kept = "logged, and synced when the system does it"
        if self.wait:
            return f"{kept}; {self.wait} replica{'s have' if self.wait > 1 else ' has'} it by then"
        if self.replicas:
            return f"{kept}; a failover may lose the last moments, since no replica is waited for"
        return kept


def read_durability(nodes: ValkeyNodes, wait: int) -> ServerDurability:
    """Asks all primaries; what their users may not read counts as not known.

    Raises:
        StoreUnavailable: one does not answer.
    """
    found = [_of(nodes, node) for node in nodes.primaries]
    order = ["no", "", "everysec", "always"]
    return ServerDurability(
        logged=all(one.logged for one in found),
        synced=min((one.synced for one in found), key=order.index),
        replicas=min(one.replicas for one in found),
        min_replicas=min(one.min_replicas for one in found),
        wait=wait,
        maxmemory_policy=next(
            (one.maxmemory_policy for one in found if one.maxmemory_policy != "noeviction"),
            "noeviction",
        ),
    )


def _of(nodes: ValkeyNodes, node: tuple[str, int]) -> ServerDurability:
    persistence = info(nodes, node, b"persistence")
    replication = info(nodes, node, b"replication")
    memory = info(nodes, node, b"memory")
    config: dict[str, str] = {}
    try:
        for name in (b"appendfsync", b"min-replicas-to-write"):
            reply = nodes.ask(node, b"CONFIG", b"GET", name)
            config |= {reply[at].decode(): reply[at + 1].decode() for at in range(0, len(reply), 2)}
    except StoreUnavailable:
        config = {}  # Managed servers keep it to themselves.
    return ServerDurability(
        logged=persistence.get("aof_enabled") == "1",
        synced=config.get("appendfsync", ""),
        replicas=int(replication.get("connected_slaves", 0)),
        min_replicas=int(config.get("min-replicas-to-write", 0)),
        wait=0,
        maxmemory_policy=memory.get("maxmemory_policy", "noeviction"),
    )


def info(nodes: ValkeyNodes, node: tuple[str, int], section: bytes) -> dict[str, str]:
    """A section of what a server says about itself."""
    text = nodes.ask(node, b"INFO", section).decode()
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
