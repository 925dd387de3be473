"""`penchant pseudonyms`: keys of pseudonyms, and stores that take a new one."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from penchant.cli.client import counted
from penchant.cli.step_status import step_status
from penchant.launch import rotate_pseudonyms as job
from penchant.launch.rotate_pseudonyms import RotatePseudonymsRequest
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT
from penchant.system.pseudonym_keys import new_key as made_key

_DEFAULTS = RotatePseudonymsRequest()

app = App(
    name="pseudonyms",
    help="Makes keys of pseudonyms, and applies them to a store.",
    default_parameter=Parameter(negative=()),
    result_action="return_value",
)


@app.command(name="new-key")
def new_key() -> None:
    """Prints a new random key: a line for the file of keys, which only its server may read."""
    print(made_key())


@app.command
def rotate(*, request: Annotated[RotatePseudonymsRequest, FLAT] = _DEFAULTS) -> None:
    """Renames the users of a store by the keys that were added to the setting pseudonym_keys.

    A store of plain ids gets pseudonyms. Its servers must be stopped, and of a store in Valkey the
    jobs beside them as well; after a kill, the same command goes on.
    """
    console = terminal()
    with step_status(console, "Opening the store") as progress:
        result = job.rotate_pseudonyms(request, progress)
    console.say(
        f"Renamed {counted(result.names, 'user')}; every name has been through "
        f"{counted(result.keys, 'key')} now, {result.new_keys} of them new."
    )
    if result.kept_before:
        console.say(
            "The files of the Valkey servers hold the names of before until they are rewritten: "
            "BGREWRITEAOF, and BGSAVE where snapshots are kept, on each of them.",
            "yellow",
        )
