"""`penchant config`: the group of the commands about the settings file."""

from __future__ import annotations

from cyclopts import App

app = App(
    name="config",
    help="Show the settings and where each comes from, or begin a settings file.",
)
app.command("penchant.cli.config_show:show", name="show")
app.command("penchant.cli.config_init:init", name="init")
