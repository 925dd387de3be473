"""Whether workers elsewhere can open the store that their shares are read from."""

from __future__ import annotations

from penchant.domain.errors import ConfigError
from penchant.store.address import is_network, is_sealed, shown
from penchant.system.workers import Workers


def check_store_for(address: str, workers: Workers) -> None:
    """Refuses a Ray cluster whose nodes can't open a store.

    Raises:
        ConfigError: the store lies in a directory of this machine and nodes are elsewhere, or its
            password is known to this process alone.
    """
    if not workers.ray:
        return
    if is_sealed(address):
        raise ConfigError(
            f"store: got {shown(address)} with a typed password, which the nodes of --ray "
            f"{workers.ray} don't get; name a file that each of them has: ?password_file=/path"
        )
    if not is_network(address):
        from penchant.system.ray_cluster import refuse_elsewhere  # Only here: it needs an extra.

        refuse_elsewhere(workers.ray, f"store: got {shown(address)}")
