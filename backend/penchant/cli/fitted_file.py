"""The result of `penchant fit` as a settings file, which every command reads with --config."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from penchant.cli.invocation import current_line
from penchant.cli.settings_file import FILE
from penchant.cli.toml_text import comment, setting_in_toml, toml_value
from penchant.config import parse
from penchant.domain.errors import ConfigError
from penchant.fit.fit_request import FitResult
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.report.printable import printable
from penchant.store.address import directory_of
from penchant.system.durable_file import write_whole
from penchant.system.redacted_address import redacted

FITTED = FILE
"""Name of the file in the output's directory."""
_FIRST_LINE = "# Settings that `penchant fit` found."


def check_fitted_file(path: Path) -> None:
    """Checks before the work that the result can be written.

    Raises:
        ConfigError: the file is one that `penchant fit` did not write.
    """
    if path.is_file() and not path.read_bytes().startswith(_FIRST_LINE.encode()):
        raise ConfigError(
            f"output: {path} exists and is not a result of penchant fit; name another directory"
        )


def write_fitted_file(path: Path, result: FitResult) -> None:
    """Writes the store, the encoder and the settings, with paths relative to the file."""
    write_whole(path, "\n".join(_lines(path, result)) + "\n")


def _lines(path: Path, result: FitResult) -> Iterator[str]:
    yield _FIRST_LINE
    yield comment(printable(f"Made by: {current_line() or 'penchant fit'}"))
    for sentence in result.said[-2:]:
        yield comment(printable(sentence))
    place = directory_of(result.store)
    store = redacted(result.store) if place is None else f"lmdb:{_relative(str(place), path)}"
    yield f"store = {toml_value(store)}"
    yield f"encoder = {toml_value(_relative(result.encoder, path))}"
    if result.settings:
        config = parse({"store": "memory:", "encoder": "none", **result.settings})
        yield "\n[settings]"
        for name in result.settings:
            yield f"{name} = {setting_in_toml(config, name)}"
    yield from _found(result)
    if result.template:
        yield "\n[import.items]"
        yield f"text_template = {toml_value(result.template)}"


def _found(result: FitResult) -> Iterator[str]:
    """What was found, for the commands that take it; a refresh takes the served release's."""
    choice, plain = result.choice, RefreshSettings()
    names = ("window", "text_weight", "shrinkage")
    refresh = {name: getattr(choice.refresh, name) for name in names}
    moved = {name: value for name, value in refresh.items() if value != getattr(plain, name)}
    pairs = [f"{name}={value!r}" for name, value in choice.weights.items()]
    for command, option in (("evaluate", "set"), ("publish", "weight")):
        if moved or pairs:
            yield f"\n[{command}]"
        if pairs:
            yield f"{option} = {toml_value(pairs)}"
        yield from (f"{name} = {toml_value(value)}" for name, value in moved.items())


def _relative(place: str | Path, path: Path) -> str:
    return os.path.relpath(Path(place).absolute(), path.absolute().parent)
