"""Gives a command the options that its settings file holds and that nobody gave otherwise.

cyclopts asks for them after the command line and the environment have been read, and before
anything is converted, so that an option from the file is checked as one that was typed.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from cyclopts import App, Token
from cyclopts.argument import Argument, ArgumentCollection

from penchant.cli.invocation import record
from penchant.cli.settings_file import SettingsFile, read_settings_file
from penchant.domain.errors import ConfigError
from penchant.system.option_types import ENCODER_IN_USE, STORE_IN_USE, TARGET_IN_USE

SETTINGS = "--set"
"""The option that takes the settings of the file."""

_MARKS = {
    "store": STORE_IN_USE.env_var,
    "encoder": ENCODER_IN_USE.env_var,
    "target": TARGET_IN_USE.env_var,
}
_EXPECTED = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a string",
    Path: "a path",
}


class FileOptions:
    """A source of options for cyclopts: the settings file, read when a command is about to run."""

    def __init__(self, commands: Iterable[str]) -> None:
        self._commands = tuple(commands)

    def __call__(self, app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
        """Appends the file's values to the options that have none yet.

        Raises:
            ConfigError: the file can't be read, a key or value in it does not fit, or a path on the
                command line or in the environment is empty.
        """
        _refuse_empty_paths(arguments)
        if commands[:1] == ("config",):
            return  # It shows where each value comes from, and so reads the file itself.
        file = read_settings_file(self._commands)
        if file is not None:
            self._add_all(file, commands, arguments, members_of(app))
        record(commands, arguments)

    def _add_all(
        self,
        file: SettingsFile,
        commands: tuple[str, ...],
        arguments: ArgumentCollection,
        members: Collection[str],
    ) -> None:
        taken, own = set(), list[str]()
        for keys, argument, texts in _own(file, commands, arguments, members):
            if argument.name == SETTINGS:
                own = texts
            else:
                _add(argument, texts, file.place(*keys))
            taken.add(argument.name)
        for name, value in file.in_use.items():
            for argument in arguments:
                if argument.parameter.env_var == _MARKS[name] and argument.name not in taken:
                    _add(argument, [value], file.place(name))
        self._add_settings(file, arguments, own)

    @staticmethod
    def check(
        file: SettingsFile,
        commands: tuple[str, ...],
        arguments: ArgumentCollection,
        members: Collection[str] = (),
    ) -> None:
        """Checks the options of one command, but for the tables of its members.

        Raises:
            ConfigError: one does not fit.
        """
        list(_own(file, commands, arguments, members))

    def _add_settings(
        self, file: SettingsFile, arguments: ArgumentCollection, own: list[str]
    ) -> None:
        """Puts the file's settings before those of the command line, of which the last counts.

        `own` are those of the command's table.
        """
        by_name = {argument.name: argument for argument in arguments}
        argument = by_name.get(SETTINGS)
        if argument is None:
            return
        given = [token.value for token in argument.tokens]
        texts = [*(f"{name}={text}" for name, text in file.settings.items()), *own]
        if texts:
            argument.tokens.clear()
            for place, text in enumerate([*texts, *given]):
                argument.append(Token(keyword=argument.name, value=text, index=place))


def members_of(app: App) -> list[str]:
    """The names of the commands in a group; none for a command."""
    return [name for name in app if not name.startswith("-")]


def _refuse_empty_paths(arguments: ArgumentCollection) -> None:
    """Refuses an empty text for a path, as a shell's unset variable leaves it.

    It would mean the working directory.

    Raises:
        ConfigError: a path is empty.
    """
    for argument in arguments:
        if Path in _kinds(argument.hint) and any(not token.value for token in argument.tokens):
            name = argument.tokens[0].keyword or argument.name
            raise ConfigError(
                f"{name}: got an empty text, expected a path; is a variable of the shell not set?"
            )


def _own(
    file: SettingsFile,
    commands: tuple[str, ...],
    arguments: ArgumentCollection,
    members: Collection[str],
) -> Iterator[tuple[tuple[str, ...], Argument, list[str]]]:
    """Yields the options of the command's own table: key, argument and texts."""
    known = {
        name.lstrip("-"): argument
        for argument in arguments
        if argument.parse
        for name in argument.positives
        if name.startswith("-")
    }
    spelt: dict[str, str] = {}
    for key, value in file.options(commands).items():
        if key in members and isinstance(value, dict):
            continue
        keys = (*commands, key)
        name = key.replace("_", "-")
        if name in spelt:
            raise file.error(keys, f"given twice, as {spelt[name]} too; remove one")
        spelt[name] = key
        argument = known.get(name)
        if argument is None:
            raise file.unknown(keys, (name.replace("-", "_") for name in known))
        texts = _texts(file, keys, argument, value)
        if argument.name == SETTINGS:
            _check_settings(file, keys, texts)
        yield keys, argument, texts


def settings_of_commands(file: SettingsFile) -> dict[str, list[tuple[str, str, str]]]:
    """The settings in the tables of commands, by name: command, value as text, and place."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for command, table in file.table.items():
        given = table.get("set", []) if isinstance(table, dict) else []
        pairs = given.items() if isinstance(given, dict) else _pairs(given)
        for name, value in pairs:
            place = file.place(command, "set")
            found.setdefault(name, []).append((command, _text(value), place))
    return found


def _pairs(given: Any) -> list[tuple[str, str]]:
    texts = given if isinstance(given, list) else [given]
    return [(name, value) for name, _, value in (str(text).partition("=") for text in texts)]


def _check_settings(file: SettingsFile, keys: tuple[str, ...], texts: list[str]) -> None:
    """Checks the settings of one command's table.

    One that the file gives to all commands too is refused: one of the two would not count.
    """
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name:
            raise file.error(keys, f"got {text!r}, expected a setting as NAME=VALUE")
        file.check_setting(keys, name, value)
        if file.settings.get(name, value) != value:
            at = ("signals",) if name == "signals" else ("settings", name)
            raise file.error(
                keys, f"got {text!r}, but {file.place(*at)} has {'.'.join(at)}; remove one"
            )


def _add(argument: Argument, texts: list[str], source: str) -> None:
    if not argument.tokens:
        for place, text in enumerate(texts):
            argument.append(Token(keyword=argument.name, value=text, index=place, source=source))


def _texts(file: SettingsFile, keys: tuple[str, ...], argument: Argument, value: Any) -> list[str]:
    """A value of the file as the texts that somebody would type."""
    kinds, many = _kinds(argument.hint), _is_many(argument.hint)
    values: list[Any] = value if isinstance(value, list) and many else [value]
    if many and isinstance(value, dict):
        values = [f"{name}={_text(one)}" for name, one in value.items()]
    for one in values:
        if one == "" and Path in kinds:
            raise file.error(keys, "got an empty text, expected a path")
        if not _fits(one, kinds, argument.parameter.converter is not None):
            expected = " or ".join(dict.fromkeys(_EXPECTED.get(kind, "a string") for kind in kinds))
            many_of = ", or a list of such" if many else ""
            raise file.error(keys, f"got {one!r}, expected {expected}{many_of}")
    texts = [str(file.resolved(one)) if Path in kinds else _text(one) for one in values]
    return [",".join(texts)] if many and argument.parameter.n_tokens == 1 else texts


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fits(value: Any, kinds: set[type], converted: bool) -> bool:
    if isinstance(value, bool):
        return bool in kinds
    if isinstance(value, int):
        return bool(kinds & {int, float})
    if isinstance(value, float):
        return float in kinds
    if isinstance(value, str):
        return converted or not kinds <= {bool, int, float}
    return False


def _kinds(hint: Any) -> set[type]:
    """The types of one value of an option: `tuple[Path, ...] | None` takes a Path."""
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        return _kinds(typing.get_args(hint)[0])
    if origin in (typing.Union, types.UnionType, tuple, list):
        parts = (one for one in typing.get_args(hint) if one not in (type(None), ...))
        return set[type]().union(*(_kinds(one) for one in parts))
    if origin is typing.Literal or (isinstance(hint, type) and issubclass(hint, enum.Enum)):
        return {str}
    return {hint} if isinstance(hint, type) else {str}


def _is_many(hint: Any) -> bool:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType, typing.Annotated):
        return any(_is_many(one) for one in typing.get_args(hint))
    return origin in (tuple, list)
