"""Files that only their user may read, whatever the umask."""

from __future__ import annotations

from pathlib import Path


def make_private(tree: Path) -> None:
    """Takes a directory with all that it holds from other users: 0700 and 0600; raises OSError."""
    tree.chmod(0o700)
    for path in tree.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)
