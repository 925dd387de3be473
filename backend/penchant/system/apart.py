"""Keeps what a command writes apart from what it reads, also through links."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from penchant.domain.errors import ConfigError


def check_not_read(output: Path, option: str, reads: Iterable[Path | None]) -> None:
    """Refuses an output in place of an input of the same command, or of a directory around one.

    A pipe or a device is not replaced, and may be both, or two outputs.

    Args:
        output: file or directory to write.
        option: option that named it, for the error message.
        reads: the inputs; None: one that was not given.

    Raises:
        ConfigError: the output would replace an input.

    >>> check_not_read(Path("log.csv"), "--json", [None, Path("./log.csv")])
    Traceback (most recent call last):
    ...
    penchant.domain.errors.ConfigError: --json: got log.csv, which this command reads; name another
    """
    if output.exists() and not (output.is_file() or output.is_dir()):
        return
    for one in reads:
        if one is not None and _is_within(one, output):
            what = "which" if _is_within(output, one) else f"which holds {one}, which"
            raise ConfigError(f"{option}: got {output}, {what} this command reads; name another")


def check_outside(output: Path, option: str, directory: Path, what: str) -> None:
    """Refuses an output at or inside a directory.

    Args:
        output: file or directory to write; need not be there.
        option: option that named it, for the error message.
        directory: the one to keep out of.
        what: what the directory is, as in "the store".

    Raises:
        ConfigError: the output is in there.

    >>> check_outside(Path("store/copy"), "to", Path("store"), "the store")
    Traceback (most recent call last):
    ...
    penchant.domain.errors.ConfigError: to: got store/copy, which is inside the store, store; ...
    """
    if _is_within(output, directory):
        where = f"which is {what}"
        if not _is_within(directory, output):
            where = f"which is inside {what}, {directory}"
        raise ConfigError(f"{option}: got {output}, {where}; name a place outside")


def _is_within(inner: Path, outer: Path) -> bool:
    """Whether a path is another one, or below it, once links are followed."""
    return Path(os.path.realpath(inner)).is_relative_to(os.path.realpath(outer))
