"""`penchant token`: keys and tokens for development."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from penchant.cli.next_steps import command_line, next_steps
from penchant.launch.development_tokens import (
    KeysRequest,
    TokenRequest,
    issue_token,
    make_keys,
)
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT

_KEYS, _TOKEN = KeysRequest(), TokenRequest()

app = App(
    name="token",
    help="Makes keys and tokens for development, or where no identity provider issues them.",
    default_parameter=Parameter(negative=()),
    result_action="return_value",
)


@app.command
def keys(*, request: Annotated[KeysRequest, FLAT] = _KEYS) -> None:
    """Makes a key pair: one file for whoever issues tokens, one for the server.

    Made again, the new key signs, and the one before still verifies: a running server takes both
    within a second. Once more, and the first one no longer counts.
    """
    console = terminal()
    made = make_keys(request)
    console.say(f"Wrote {made.private}, which signs tokens: keep it off the server.")
    console.say(f"Wrote {made.public}, which verifies them: for the server.")
    if made.kept:
        console.say(f"The key of before, {', '.join(made.kept)}, still verifies its tokens.")
    issue = command_line(
        "token", "issue", "--keys", str(request.output), "--tenant", "acme", "--scope", "rank"
    )
    serve = command_line("serve", "--token-keys", str(made.public))
    next_steps(console, {serve: "serves those who have a token", issue: "prints a token"})


@app.command
def issue(*, request: Annotated[TokenRequest, FLAT] = _TOKEN) -> None:
    """Prints a signed token; `--token-file` of other commands reads it from a file."""
    terminal().say(issue_token(request))
