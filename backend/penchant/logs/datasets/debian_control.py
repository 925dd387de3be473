r"""Debian's package metadata: stanzas of fields, as apt and dpkg keep them.

>>> (stanza,) = stanzas("Package: chess\nDescription: a game\n of kings\n")
>>> stanza["Package"], stanza["Description"]
('chess', 'a game\nof kings')
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.logs.text_source import TextSource

SECTION = "games"
AVAILABLE = Path("/var/lib/dpkg/available")
"""dpkg's list of packages, for machines without apt."""

_APT = ("apt-cache", "-o", "Acquire::Languages=en")
"""English even if apt is configured without translations; the texts must have been fetched."""
_TIMEOUT_S = 120.0

Stanza = Mapping[str, str]
"""Values by field; the lines of a value are joined by line ends, ` .` stands for an empty line."""


def stanzas(text: str) -> Iterator[Stanza]:
    """Yields the stanzas of a control file, deb822(5), in order."""
    fields: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if not line.strip():
            if fields:
                yield fields
            fields, name = {}, ""
        elif line[0] in " \t":
            if name:
                fields[name] += "\n" + ("" if line.strip() == "." else line.strip())
        else:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
    if fields:
        yield fields


def read_metadata(file: Path | None = None) -> str:
    """Reads the metadata of Debian's packages of section games, from a file or this machine.

    On this machine, the metadata is apt's (`apt-cache`), with long descriptions where English ones
    were fetched (`apt-get -o Acquire::Languages=en update`); without apt, it is dpkg's.

    Raises:
        ConfigError: the file can't be read, or no list holds a game.
    """
    if file is not None:
        source = TextSource(file)  # Mirrors have it packed, as Packages.xz.
        try:
            return b"".join(source.lines(newline_only=True)).decode("utf-8", "replace")
        finally:
            source.close()
    names = [one["Package"] for one in stanzas(_apt("dumpavail")) if _is_game(one)]
    if names:
        return _apt("show", *dict.fromkeys(names))
    known = AVAILABLE.read_text(encoding="utf-8", errors="replace") if AVAILABLE.is_file() else ""
    if any(_is_game(one) for one in stanzas(known)):
        return known
    raise ConfigError(
        "Debian's games: this machine has no package lists; run `apt-get update`, or name a file "
        "with the output of `apt-cache dumpavail` by --file"
    )


def _is_game(stanza: Stanza) -> bool:
    return stanza.get("Section") == SECTION and "Package" in stanza


def _apt(*arguments: str) -> str:
    """Returns the output of apt-cache; empty text without apt."""
    command: Sequence[str] = (*_APT, *arguments)
    try:
        run = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout.decode("utf-8", "replace")
