"""A release on its way between the servers of a store in a network."""

from __future__ import annotations

from pathlib import Path

from penchant.domain.errors import StoreUnavailable
from penchant.launch.server_store import ServerStore
from penchant.releases.switch import KEPT_RELEASES
from penchant.server.served_store import shared_files
from penchant.service.release_share import ReleaseShare
from penchant.store.address import is_network
from penchant.store.releases import read_log_of_releases


def send_release(server: ServerStore, folder: Path) -> str:
    """Sends a release to where all servers find it; older ones than the last few go from there.

    Returns:
        What is left to do, where it is too large or the place does not take it; empty: nothing.
    """
    share = _share_of(server)
    if share is None:
        return ""
    with server.store.snapshot() as snapshot:
        log = read_log_of_releases(snapshot)
    latest = list(dict.fromkeys(entry.release for entry in reversed(log) if entry.release))
    share.keep({folder.name, *latest[:KEPT_RELEASES]})
    try:
        share.send(folder)
    except OSError as error:
        return (
            f"The other servers can't fetch this release: {error}. Until each has the folder "
            f"{folder.name} in its releases_dir, they can't encode new texts for it."
        )
    return ""


def fetch_release(server: ServerStore, release: str) -> None:
    """Fetches a release that another machine published, if it is not here.

    Raises:
        StoreUnavailable: the shared place does not answer, or nothing can be written here.
    """
    share = _share_of(server)
    if share is None or not release:
        return
    try:
        share.fetch(release)
    except OSError as error:
        raise StoreUnavailable(f"release {release}: it can't be fetched: {error}") from error


def _share_of(server: ServerStore) -> ReleaseShare | None:
    """The shared place; None: the store is one machine's."""
    if not is_network(server.config.store):
        return None
    return ReleaseShare(shared_files(server.store, server.config), server.releases)
