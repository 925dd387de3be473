"""The result of `penchant tune` as a settings file, which every command reads with --config."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from penchant.cli.invocation import current_line
from penchant.cli.settings_file import find_settings_file, read_settings_file
from penchant.cli.toml_text import comment, setting_in_toml, toml_value
from penchant.config import parse
from penchant.domain.errors import ConfigError
from penchant.report.page import check_writable
from penchant.report.printable import printable
from penchant.system.durable_file import write_whole
from penchant.tuning.space import ParameterGroup, Values, in_group, moved
from penchant.tuning.tune import TuningRequest, TuningResult

_FIRST_LINE = "# Settings that `penchant tune` found."


def check_tuned_file(path: Path) -> None:
    """Checks before the search that its result can be written.

    Raises:
        ConfigError: the file can't be written, or is one that `penchant tune` did not write.
    """
    check_writable(path, "--output")
    if path.is_file() and not path.read_bytes().startswith(_FIRST_LINE.encode()):
        raise ConfigError(
            f"--output: {path} exists and is not a result of penchant tune; name another file"
        )


def write_tuned_file(
    path: Path, request: TuningRequest, result: TuningResult, best: Values
) -> None:
    """Writes the best settings, with those of the settings file that they stand beside."""
    write_whole(path, "\n".join(_lines(request, result, best)) + "\n")


def _lines(request: TuningRequest, result: TuningResult, best: Values) -> Iterator[str]:
    yield _FIRST_LINE
    yield comment(printable(f"Made by: {current_line() or 'penchant tune'}"))
    if result.gain is not None:
        gain = result.gain
        yield comment(
            f"{request.metric}, on the part of the log that chose them: {gain.first.mean:.4f} at "
            f"first, {gain.best.mean:.4f} with these; gain {gain.gain.mean:+.4f} (95 %: "
            f"{gain.gain.low:+.4f} to {gain.gain.high:+.4f})."
        )
    file = None if find_settings_file() is None else read_settings_file(_commands())
    for key, value in {} if file is None else file.in_use.items():
        yield f"{key} = {toml_value(value)}"
    texts = {} if file is None else file.settings
    server = {name: str(value) for name, value in in_group(best, ParameterGroup.SERVER).items()}
    changed = moved(result.space, best, ParameterGroup.SERVER)
    texts = {**texts, **{n: t for n, t in server.items() if n in changed or n in texts}}
    texts |= request.fixed
    config = parse({"store": "memory:", "encoder": "none", **texts})
    yield "\n[settings]"
    for name in texts:
        yield f"{name} = {setting_in_toml(config, name)}"
    refresh = moved(result.space, best, ParameterGroup.REFRESH)
    for command in ("evaluate", "refresh", "publish") if request.refresh else ():
        yield f"\n[{command}]"
        if command == "evaluate":
            yield "refresh = true"
        yield from (f"{name} = {toml_value(value)}" for name, value in refresh.items())
    finetune = moved(result.space, best, ParameterGroup.FINETUNE)
    if request.finetune:
        yield '\n[finetune]\nmethod = "lora"'
        yield f"steps = {request.finetune_steps}"
        yield from (f"{name} = {toml_value(value)}" for name, value in finetune.items())


def _commands() -> tuple[str, ...]:
    from penchant.cli.main import COMMANDS

    return tuple(COMMANDS)
