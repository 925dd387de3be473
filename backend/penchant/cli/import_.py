"""`penchant import`: the group of the commands that import items and events."""

from __future__ import annotations

from cyclopts import App, Parameter

from penchant.cli.import_events import import_events
from penchant.cli.import_games import import_games
from penchant.cli.import_items import import_items

app = App(
    name="import",
    help="Imports items and events from files. An import that was cut off goes on where it "
    "stopped.",
    default_parameter=Parameter(negative=()),
    result_action="return_value",
)
app.command(import_items, name="items", sort_key=0)
app.command(import_events, name="events", sort_key=1)
app.command(import_games, name="games", sort_key=2)
