"""The `penchant` command: a table of commands, each loaded when it is used.

A new command is one line in COMMANDS: its name, the module and the function (or the `typer.Typer`
of a group of commands), and its line in the help.
"""

from __future__ import annotations

import sys
from importlib import import_module, metadata
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("penchant.cli.serve:serve", "Run a Triton with Penchant's models."),
    "install": ("penchant.cli.install:install", "Lay Penchant out for a Triton that you run."),
    "doctor": ("penchant.cli.doctor:doctor", "Check this machine, the store and a server."),
    "pretrain": (
        "penchant.cli.pretrain:pretrain",
        "Let an encoder read a domain's texts.",
    ),
    "finetune": ("penchant.cli.finetune:finetune", "Let the encoder learn from a log."),
    "export": ("penchant.cli.export:export", "Export a Hugging Face encoder to ONNX."),
    "prune": ("penchant.cli.prune:prune", "Make an encoder smaller, taught by the larger."),
    "quantize": ("penchant.cli.quantize:quantize", "Make an encoder int8, if it loses little."),
    "compile": ("penchant.cli.compile:compile", "Compile an encoder for GPUs, by TensorRT."),
    "import": ("penchant.cli.import_:app", "Import items and events from files."),
    "evaluate": ("penchant.cli.evaluate:evaluate", "How good rankings are on a log of yours."),
    "gate": ("penchant.cli.gate:gate", "May a candidate encoder serve? Exit status 2: no."),
    "calibrate": (
        "penchant.cli.calibrate:calibrate",
        "Learn click probabilities from shown ads.",
    ),
    "impressions": (
        "penchant.cli.impressions:impressions",
        "What was shown and what came of it, to a file.",
    ),
    "ope": ("penchant.cli.ope:ope", "What another policy would have earned on your log."),
    "tune": ("penchant.cli.tune:tune", "Search settings that suit a log of yours."),
    "rank": ("penchant.cli.rank:rank", "The best items for a user, and why."),
    "feedback": ("penchant.cli.feedback:feedback", "Tell what a user did with an item."),
    "user": ("penchant.cli.user:user", "Show, export or forget a user."),
    "refresh": ("penchant.cli.refresh:refresh", "Let item vectors learn from the log."),
    "publish": ("penchant.cli.publish:publish", "Judge an encoder, and serve it from now on."),
    "rollback": ("penchant.cli.rollback:rollback", "Serve the release before again."),
    "releases": ("penchant.cli.releases:releases", "What was built, and what is served."),
    "rebuild": ("penchant.cli.rebuild:rebuild", "Make users' records anew from their logs."),
    "loop": ("penchant.cli.loop:loop", "The slow clock as one resumable job."),
    "home-encoder": (
        "penchant.cli.home_encoder:home_encoder",
        "Export the encoder that understands a smart home.",
    ),
    "home-data": (
        "penchant.cli.home_data:home_data",
        "Write a smart home's sentences to learn from.",
    ),
    "demo": ("demos.films.command:demo", "Watch Penchant learn from MovieLens."),
    "demo-ads": (
        "demos.ads.command:demo_ads",
        "Watch a day of ads under caps and budgets.",
    ),
    "demo-games": (
        "demos.games.command:demo_games",
        "Watch simulated players being recommended Debian's games.",
    ),
    "demo-home": (
        "demos.home.command:demo_home",
        "Watch a smart home understand, ask and learn.",
    ),
    "demo-release": (
        "demos.release.command:demo_release",
        "Watch a release being made, served and taken back.",
    ),
}
"""Name to `module:attribute` and one line of help, in the order of the help."""


class LazyGroup(TyperGroup):
    """A group whose commands are named in COMMANDS and imported only to be run."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A stand-in that has a name and a help line; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        return TyperCommand(name=cmd_name, help=COMMANDS[cmd_name][1])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command itself, which is about to run."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, load(str(name)), rest


def load(name: str) -> Any:
    """Imports a command of the table and makes it one of Typer's."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    if module.startswith("demos."):
        _find_demos(name)
    found = getattr(import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        function, found = found, typer.Typer(add_completion=False)
        found.command(name)(function)
    return typer.main.get_command(found)


def _find_demos(name: str) -> None:
    """Puts the repository on the path: the demos and their simulators are not in the wheel."""
    from penchant.domain.errors import ConfigError

    repository = Path(__file__).resolve().parents[3]
    if not (repository / "demos" / "__init__.py").is_file():
        raise ConfigError(
            f"{name}: the demos are not part of the installed package; clone the repository and "
            f"run `make {name}` there"
        )
    if str(repository) not in sys.path:
        sys.path.append(str(repository))


app = typer.Typer(
    cls=LazyGroup, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(metadata.version("penchant"))
        raise typer.Exit


@app.callback()
def penchant(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    """Per-user online learning and ranking inside NVIDIA Triton Inference Server."""


def main() -> None:
    """Runs the command; an error that Penchant foresees becomes one plain message and status 1."""
    try:
        app(prog_name="penchant")
    except Exception as error:
        if not isinstance(error, _foreseen()):
            raise
        print(f"penchant: {error}", file=sys.stderr)
        sys.exit(1)


def _foreseen() -> tuple[type[Exception], ...]:
    from penchant.domain.errors import PenchantError
    from penchant.launch.errors import LaunchError

    kinds: list[type[Exception]] = [PenchantError, LaunchError]
    sdk = sys.modules.get("penchant_sdk.errors")  # Loaded only by the commands that are clients.
    if sdk is not None:
        kinds.append(sdk.PenchantError)
    return tuple(kinds)


if __name__ == "__main__":
    main()
