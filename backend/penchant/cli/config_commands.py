"""`penchant config`: the group of the commands about the settings file."""

from __future__ import annotations

from cyclopts import App

from penchant.cli.config_init import init
from penchant.cli.config_show import show

app = App(
    name="config",
    help="Show the settings and where each comes from, or begin a settings file.",
)
app.command(show, name="show")  # Not by name: the group's help lists what each one does.
app.command(init, name="init")
