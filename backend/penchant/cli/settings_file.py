"""`penchant.toml`: the settings and options that every command reads, checked by their names.

    store, encoder, target      for every command that has the option
    signals                     names of tables, or a table of rows merged over them
    [settings]                  the settings of the models
    [COMMAND]                   options of one command

Paths in the file are relative to the file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from penchant.domain.errors import ConfigError
from penchant.store.address import check_address, directory_of, sealed
from penchant.system.redacted_address import redacted
from penchant.system.toml_file import read_toml

FILE = "penchant.toml"
"""Name of the file that is read if the working directory holds it."""

VARIABLE = "PENCHANT_CONFIG"
"""Environment variable that names another file; `--config` goes before it."""

IN_USE = ("store", "encoder", "target")
"""Keys at the top of the file: what all commands work with."""

_PART = r"""(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)"""
_KEY = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")
_HEADER = re.compile(rf"\s*\[\[?\s*({_PART}(?:\s*\.\s*{_PART})*)\s*\]")
_NUMBERS = {int: "a whole number", float: "a number", bool: "true or false", str: "a string"}


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """A file whose keys at the top, settings and signals are checked."""

    path: Path
    text: str
    table: Mapping[str, Any]

    @property
    def in_use(self) -> dict[str, str]:
        """Store, encoder and target, as far as they are given, with absolute paths."""
        found = {key: self.table[key] for key in IN_USE if key in self.table}
        if "store" in found:
            place = directory_of(found["store"])
            if place is not None:
                found["store"] = f"lmdb:{self.resolved(str(place))}"
            found["store"] = sealed(found["store"], self.path.absolute().parent)
        if "encoder" in found:
            found["encoder"] = str(self.resolved(found["encoder"]))
        return found

    @property
    def settings(self) -> dict[str, str]:
        """The settings of the models as texts by name, the signals among them."""
        from penchant.config import text_in_toml
        from penchant.server.kept_settings import PLACES

        found = {}
        for name, value in self.table.get("settings", {}).items():
            text = text_in_toml(value)
            if name not in PLACES:
                found[name] = text
            elif text:  # An empty place is the one inside the store.
                found[name] = str(self.resolved(text))
        if "signals" in self.table:
            found["signals"] = self._signals()
        return found

    def resolved(self, place: str) -> Path:
        """A path of the file, relative to the file's directory."""
        return self.path.absolute().parent / Path(place).expanduser()

    def options(self, command: Iterable[str]) -> Mapping[str, Any]:
        """The table of a command; `[import.items]` for a member of a group."""
        found: Any = self.table
        for word in command:
            found = found.get(word, found.get(word.replace("-", "_"), {}))
            if not isinstance(found, dict):
                return {}
        return dict(found)

    def place(self, *keys: str) -> str:
        """The file and the line of a key, such as `penchant.toml:12`."""
        line = line_of(self.text, keys)
        return f"{self.path}:{line}" if line else str(self.path)

    def error(self, keys: Iterable[str], problem: str) -> ConfigError:
        """The error about a key: file, line, key and problem, without a password."""
        names = tuple(keys)
        problem = redacted(problem) if "://" in problem else problem
        return ConfigError(f"{self.place(*names)}: {'.'.join(names)}: {problem}")

    def unknown(self, keys: tuple[str, ...], known: Iterable[str]) -> ConfigError:
        """The error about a key that nobody reads, with the nearest known one."""
        names = sorted(set(known))
        near = get_close_matches(keys[-1], names, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return self.error(keys, f"unknown key, expected some of: {', '.join(names)}{hint}")

    def check(self, commands: Iterable[str]) -> None:
        """Checks everything but the options of the commands, which each checks when it runs.

        Raises:
            ConfigError: an unknown key or setting, a value of another type or out of range, or
                signals that do not fit.
        """
        known = {*IN_USE, "signals", "settings", *commands}
        for key, value in self.table.items():
            if key not in known and key.replace("_", "-") not in known:
                raise self.unknown((key,), known)
            if key in IN_USE and not isinstance(value, str):
                raise self.error((key,), f"got {value!r}, expected a string")
            if key not in (*IN_USE, "signals") and not isinstance(value, dict):
                raise self.error((key,), f"got {value!r}, expected a table, [{key}]")
        if "store" in self.table:
            try:
                check_address(self.table["store"])
            except ConfigError as error:
                raise self.error(("store",), str(error).removeprefix("store: ")) from None
        self._check_settings()

    def _check_settings(self) -> None:
        from penchant.config import kind_of, setting_names

        for name, value in self.table.get("settings", {}).items():
            keys = ("settings", name)
            if name in IN_USE:
                raise self.error(keys, f"expected at the top of the file, as {name} = {value!r}")
            if name not in setting_names():
                raise self.unknown(keys, set(setting_names()) - set(IN_USE))
            kind = kind_of(name)
            is_flag = isinstance(value, bool)
            fits = isinstance(value, (int, float) if kind is float else kind)
            if not fits or is_flag is not (kind is bool):
                raise self.error(keys, f"got {value!r}, expected {_NUMBERS[kind]}")
        if "signals" in self.table and "signals" in self.table.get("settings", {}):
            raise self.error(("signals",), "given at the top and in [settings]; remove one")
        for name, text in self.settings.items():
            at_top = name == "signals" and "signals" in self.table
            self.check_setting(("signals",) if at_top else ("settings", name), name, text)

    def check_setting(self, keys: tuple[str, ...], name: str, text: str) -> None:
        """Checks the value of a setting of the models; raises ConfigError with the key's line."""
        from penchant.config import parse, setting_names

        if name not in setting_names():
            raise self.unknown((*keys, name), set(setting_names()) - set(IN_USE))
        try:
            parse({"store": "memory:", "encoder": "none", name: text})
        except ConfigError as error:
            raise self.error(keys, str(error).removeprefix(f"{name}: ")) from None

    def _signals(self) -> str:
        from penchant.domain.signals import as_text, merged_signals, named_signals

        written = self.table["signals"]
        try:
            if isinstance(written, dict):
                rows = {**self._rows_of_file(written), **_without(written, "file")}
                if not rows:
                    raise ConfigError('got no rows, expected some, or base = "default"')
                return as_text(merged_signals(rows))
            if isinstance(written, list) and any(isinstance(one, dict) for one in written):
                raise ConfigError("got several tables, [[signals]], expected one, [signals]")
            if isinstance(written, list):
                written = ",".join(map(str, written))
            if not isinstance(written, str):
                raise ConfigError(f"got {written!r}, expected names of tables, or a table of rows")
            if not written.lstrip().startswith("{"):
                named_signals(written)
        except ConfigError as error:
            problem = str(error).removeprefix("signals: ")
            name, colon, rest = problem.partition(": ")
            if colon and isinstance(written, dict) and name in written:
                raise self.error(("signals", name), rest) from None
            raise self.error(("signals",), problem) from None
        return written

    def _rows_of_file(self, written: Mapping[str, Any]) -> dict[str, Any]:
        """The rows of the file that `signals.file` names."""
        name = written.get("file")
        if name is None:
            return {}
        if not isinstance(name, str):
            raise ConfigError(f"file: got {name!r}, expected the path of a TOML file of signals")
        rows = read_toml(self.resolved(name), f"{self.place('signals', 'file')}: signals.file")
        return dict(rows.get("signals", rows))


def find_settings_file() -> Path | None:
    """The file to read: that of PENCHANT_CONFIG, else `penchant.toml` here, if there is one.

    Whatever has that name is meant: one that can't be read is refused, not passed over. The
    directories above are not searched: a command means the same in every directory that holds
    no such file.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    return Path(FILE) if os.path.lexists(FILE) else None


def read_settings_file(commands: Iterable[str]) -> SettingsFile | None:
    """Reads and checks the settings file; None if there is none.

    Args:
        commands: names of the commands, whose tables the file may hold.

    Raises:
        ConfigError: the file can't be read, or a key or value does not fit; see
            `SettingsFile.check`.
    """
    path = find_settings_file()
    if path is None:
        return None
    table = read_toml(path, "--config")
    found = SettingsFile(path, path.read_text(encoding="utf-8-sig"), table)
    found.check(commands)
    return found


def line_of(text: str, keys: Iterable[str]) -> int | None:
    r"""The line of a key in a TOML text, or of the nearest table around it; None without either.

    >>> line_of("a = 1\n[b]\nc = 2\n", ("b", "c"))
    3
    """
    wanted = tuple(keys)
    table: tuple[str, ...] = ()
    found, deepest = None, 0
    for number, line in enumerate(text.splitlines(), start=1):
        if match := _HEADER.match(line):
            full = table = tuple(_parts(match[1]))
        elif match := _KEY.match(line):
            full = (*table, *_parts(match[1]))
        else:
            continue
        if len(full) > deepest and wanted[: len(full)] == full:
            found, deepest = number, len(full)
    return found


def _parts(dotted: str) -> Iterator[str]:
    return (part.strip("\"'") for part in re.findall(_PART, dotted))


def _without(table: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name != key}
