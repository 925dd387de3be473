"""Keeps root out of a store that belongs to another user.

The files of a store are for their user alone (0600). What root makes or writes anew there, be it by
reading it once, its server can't open any more: not now, or not at its next start.
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from shlex import quote

from penchant.domain.errors import StoreUnavailable
from penchant.store.lmdb_file import DATA

_ROOT = 0


def check_owner(directory: Path) -> None:
    """Makes sure that root does not open another user's store.

    Others are kept out by the system. Where the directory alone is another user's, or the data
    file alone, root may: a volume of a container may look so.

    Raises:
        StoreUnavailable: this process is root's, and the store another user's.
    """
    if os.geteuid() != _ROOT:
        return
    try:
        owners = {(directory / DATA).stat().st_uid, directory.stat().st_uid}
    except OSError:  # There is no store yet, or what opens it says so.
        return
    if len(owners) > 1 or _ROOT in owners:
        return
    name = _name_of(*owners)
    raise StoreUnavailable(
        f"store: got the user root, expected {name}, to whom {directory} belongs: what root makes "
        f"there would lock the store's server out; run this as that user (sudo -u {quote(name)})"
    )


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"#{user}"  # As sudo takes a number.
