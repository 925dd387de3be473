"""`penchant config show`: each setting, its value, where that comes from and what it does."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from penchant.cli.file_options import settings_of_commands
from penchant.cli.settings_file import IN_USE, SettingsFile, read_settings_file
from penchant.cli.toml_text import comment, meanings, setting_in_toml, toml_value
from penchant.config import Config, allowed, parse, setting_names
from penchant.launch.model_parameters import HOME, kept_settings_at
from penchant.launch.ports import DEFAULT_TARGET
from penchant.report.terminal import terminal
from penchant.server.kept_settings import Kept, settled
from penchant.system.option_types import (
    ENCODER_IN_USE,
    FLAT,
    STORE_IN_USE,
    TARGET_IN_USE,
    Flag,
    Pairs,
    pairs_of,
)

DEFAULT, KEPT, COMMAND_LINE = "default", "kept in the store", "command line"
_DEFAULTS = {
    "store": f"lmdb:{HOME / 'store'}",
    "encoder": str(HOME / "encoder"),
    "target": DEFAULT_TARGET,
}
_MARKS = {"store": STORE_IN_USE, "encoder": ENCODER_IN_USE, "target": TARGET_IN_USE}
_MEANINGS = {
    "store": "The server's store: lmdb:DIRECTORY.",
    "encoder": "Directory of the encoder in use, as `penchant export` writes it.",
    "target": "gRPC address of the server.",
}


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """Options to show as a command would take them."""

    store: str | None = None
    """Store of the server: lmdb:DIRECTORY or valkey://…/NAMESPACE."""
    encoder: Path | None = None
    """Directory of the encoder in use."""
    target: Annotated[str | None, Parameter(metavar="HOST:PORT")] = None
    """gRPC address of the server."""
    settings: Annotated[Pairs, Parameter(name="--set")] = ()
    """A setting of the models; repeatable."""
    explain: Flag = False
    """Say what each setting does, and its range."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A key, its value as TOML, and where the value comes from."""

    name: str
    value: str
    source: str


def show(*, options: Annotated[ShowOptions, FLAT] = ShowOptions()) -> None:
    """Prints every setting with its value and where that comes from, as a file in TOML.

    Of several sources the first one counts: command line, environment, settings file, the store
    (which keeps what its server was given), default. The whole settings file is checked.
    """
    from penchant.cli.main import COMMANDS, check_settings_file

    file = read_settings_file(COMMANDS)
    if file is not None:
        check_settings_file(file)
    console = terminal()
    for line in _lines(options, file):
        console.say(line)


def _lines(options: ShowOptions, file: SettingsFile | None) -> Iterator[str]:
    places = {one.name: one for one in _in_use(options, file)}
    kept = kept_settings_at(_plain(places["store"]))
    if places["encoder"].source == DEFAULT and kept and kept.get("encoder"):
        places["encoder"] = Shown("encoder", toml_value(kept["encoder"]), KEPT)
    settings = list(_settings(options, file, kept))
    width = max(len(f"{one.name} = {one.value}") for one in settings if len(one.value) < 40)
    if file is None:
        yield "# No settings file."
    for one in places.values():
        yield from _explained(one, _MEANINGS[one.name], options.explain, width)
    yield ""
    yield "[settings]"
    texts = meanings()
    for one in settings:
        text = f"{texts[one.name]} Range: {allowed(one.name)}."
        yield from _explained(one, text, options.explain, width)
    if file is not None:
        yield from _of_commands(file, width)


def _explained(one: Shown, meaning: str, explain: bool, width: int) -> Iterator[str]:
    if explain:
        yield ""
        yield comment(meaning)
    yield f"{f'{one.name} = {one.value}':<{width}}  # {one.source}"


def _in_use(options: ShowOptions, file: SettingsFile | None) -> Iterator[Shown]:
    of_file: Mapping[str, str] = {} if file is None else file.in_use
    for name in IN_USE:
        given = getattr(options, name)
        (variable,) = _MARKS[name].env_var or ("",)
        if given is not None:
            yield Shown(name, toml_value(str(given)), COMMAND_LINE)
        elif variable in os.environ:
            yield Shown(name, toml_value(os.environ[variable]), f"environment: {variable}")
        elif file is not None and name in of_file:
            yield Shown(name, toml_value(of_file[name]), file.place(name))
        else:
            yield Shown(name, toml_value(_DEFAULTS[name]), DEFAULT)


def _settings(
    options: ShowOptions, file: SettingsFile | None, kept: Kept | None
) -> Iterator[Shown]:
    of_file: Mapping[str, str] = {} if file is None else file.settings
    given = pairs_of("--set", options.settings)
    minimal = {"store": "memory:", "encoder": "none"}
    config: Config = settled(parse({**minimal, **of_file, **given}), kept)
    of_commands = {} if file is None else settings_of_commands(file)
    for name in setting_names():
        if name in IN_USE:
            continue
        source = DEFAULT
        if name in given:
            source = COMMAND_LINE
        elif file is not None and name in of_file:
            at_top = name == "signals" and "signals" in file.table
            source = file.place(*(("signals",) if at_top else ("settings", name)))
        elif kept and name in kept:
            source = KEPT
        for command, value, place in of_commands.get(name, ()):
            source += f"; penchant {command}: {value} ({place})"
        yield Shown(name, setting_in_toml(config, name), source)


def _of_commands(file: SettingsFile, width: int) -> Iterator[str]:
    """The options of commands in the file, one table after another."""
    for key, table in file.table.items():
        if key in (*IN_USE, "settings", "signals"):
            continue
        yield from _table(file, (key,), table, width)


def _table(
    file: SettingsFile, keys: tuple[str, ...], table: Mapping[str, object], width: int
) -> Iterator[str]:
    plain = {name: value for name, value in table.items() if not isinstance(value, dict)}
    if plain:
        yield ""
        yield f"[{'.'.join(keys)}]"
    for name, value in plain.items():
        yield f"{f'{name} = {toml_value(value)}':<{width}}  # {file.place(*keys, name)}"
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _table(file, (*keys, name), value, width)


def _plain(shown: Shown) -> str:
    return shown.value.strip('"')
