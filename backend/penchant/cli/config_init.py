"""`penchant config init`: a settings file in which every key is explained and none is set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from penchant.cli.settings_file import FILE, IN_USE
from penchant.cli.toml_text import comment, meanings, setting_in_toml
from penchant.config import Config, allowed, setting_names
from penchant.domain.errors import ConfigError
from penchant.launch.model_parameters import HOME
from penchant.launch.ports import DEFAULT_TARGET
from penchant.report.page import check_writable
from penchant.report.terminal import terminal
from penchant.system.durable_file import write_whole

_HEAD = f"""\
# Settings of Penchant, for every command that runs in this directory, or with --config FILE.
#
# An option on the command line goes before this file, and so do the environment variables
# PENCHANT_STORE, PENCHANT_ENCODER and PENCHANT_TARGET. What neither says is taken from the store,
# which keeps the settings of its server, and else is the default, as shown here.
# Paths are relative to this file. `penchant config show --explain` shows what is in force.

# The server's store: lmdb:DIRECTORY.
# store = "lmdb:{HOME / "store"}"

# Directory of the encoder in use, as `penchant export` writes it.
# encoder = "{HOME / "encoder"}"

# gRPC address of the server.
# target = "{DEFAULT_TARGET}"

# Signals: names of tables, such as "ads" or ["default", "ads"]; or rows, merged over the tables
# that `base` names. A row over a row of the base changes the fields that it names, and false
# removes one. `file` names a TOML file of such rows.
# signals = "default"
#
# [signals]
# base = "default"
# purchase = {{ reward = 1.0, weight = 3.0, owned = true }}
# skip = false
"""

_TAIL = """
# Options of one command, in a table of its name; a flag is true, a repeatable option a list.
# [serve]
# rank_instances = 4
#
# [install]
# backends = "/opt/tritonserver/backends"
# models = "/models"
#
# [import.items]
# text_template = "{title} ({year})"
"""


def init(
    file: Annotated[Path, Parameter(help="File to write; it must not exist.")] = Path(FILE), /
) -> None:
    """Writes a settings file that explains every setting and changes none."""
    if file.exists():
        raise ConfigError(f"config init: {file} exists already; name another file, or move it")
    check_writable(file, "config init")
    write_whole(file, template())
    terminal().say(f"Wrote {file}. Next: penchant config show --explain")


def template() -> str:
    """A settings file with every setting in a comment, at its default."""
    config = Config("memory:", Path("none"))
    texts = meanings()
    parts = [_HEAD, "[settings]"]
    for name in setting_names():
        if name in (*IN_USE, "signals"):
            continue
        text = f"{texts[name]} Range: {allowed(name)}."
        parts.append(f"{comment(text)}\n# {name} = {setting_in_toml(config, name)}")
    return "\n".join(parts) + "\n" + _TAIL
