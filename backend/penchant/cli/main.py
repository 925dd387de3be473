"""The `penchant` command: a table of commands, each imported only when it runs.

A command is a function: its parameters, usually one request dataclass, become options. A new
command is one entry in COMMANDS: its name, `module:function`, and its line in the help. A command
returns None, or an exit status other than 0.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import metadata
from pathlib import Path

from cyclopts import App, CycloptsError, Parameter, UnknownCommandError

from penchant.cli.file_options import FileOptions, members_of
from penchant.cli.settings_file import FILE, VARIABLE, SettingsFile
from penchant.report.printable import escape_what_cannot_be_encoded, printable_lines
from penchant.store.address import sealed, sealed_within
from penchant.system.log_format import FORMATS, json_line, log_as_json, logs_are_json
from penchant.system.log_format import VARIABLE as LOG_FORMAT
from penchant.system.option_types import STORE_IN_USE

COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("penchant.cli.serve:serve", "Run a Triton with Penchant's models."),
    "install": ("penchant.cli.install:install", "Install Penchant into a Triton that you run."),
    "token": ("penchant.cli.token:app", "Make keys and tokens for development."),
    "doctor": ("penchant.cli.doctor:doctor", "Check this machine, the store and a server."),
    "probe": ("penchant.cli.probe:probe", "Ask each model of a server for an answer."),
    "capacity": ("penchant.cli.capacity:capacity", "Find the most calls that a server bears."),
    "certs": ("penchant.cli.certs:certs", "Make certificates for development."),
    "pretrain": (
        "penchant.cli.pretrain:pretrain",
        "Adapt an encoder to the texts of a domain.",
    ),
    "finetune": ("penchant.cli.finetune:finetune", "Fine-tune the encoder on a log."),
    "export": ("penchant.cli.export:export", "Export a Hugging Face encoder to ONNX."),
    "prune": ("penchant.cli.prune:prune", "Make an encoder smaller by distillation."),
    "quantize": (
        "penchant.cli.quantize:quantize",
        "Quantize an encoder to int8, if it loses little.",
    ),
    "compile": ("penchant.cli.compile:compile", "Compile an encoder for GPUs with TensorRT."),
    "import": ("penchant.cli.import_:app", "Import items and events from files."),
    "evaluate": ("penchant.cli.evaluate:evaluate", "Measure the quality of rankings on a log."),
    "gate": ("penchant.cli.gate:gate", "Judge a candidate encoder; exit status 2: refused."),
    "calibrate": (
        "penchant.cli.calibrate:calibrate",
        "Learn click probabilities from shown ads.",
    ),
    "impressions": (
        "penchant.cli.impressions:impressions",
        "Write impressions with their outcomes to a file.",
    ),
    "ope": ("penchant.cli.ope:ope", "Estimate the reward of another policy from a log."),
    "fit": ("penchant.cli.fit:fit", "Make the best release of a log, in minutes."),
    "rank": ("penchant.cli.rank:rank", "Rank items for a user, with reasons."),
    "feedback": ("penchant.cli.feedback:feedback", "Report an action of a user on an item."),
    "user": ("penchant.cli.user:app", "Show, export, forget or merge users."),
    "audit": ("penchant.cli.audit:app", "Show or verify the log of who did what."),
    "pseudonyms": ("penchant.cli.pseudonyms:app", "Make and apply keys of pseudonyms."),
    "refresh": ("penchant.cli.refresh:refresh", "Refit item vectors to the log."),
    "publish": ("penchant.cli.publish:publish", "Judge an encoder, and serve it."),
    "rollback": ("penchant.cli.rollback:rollback", "Serve the previous release again."),
    "releases": ("penchant.cli.releases:releases", "List the releases, and which one is served."),
    "ads": ("penchant.cli.ads_commands:app", "Show what campaigns reserved and were charged."),
    "rebuild": (
        "penchant.cli.rebuild:rebuild",
        "Rebuild records, counters and ledgers from the log.",
    ),
    "expire": ("penchant.cli.expire:expire", "Delete events that are too old to keep."),
    "ship": ("penchant.cli.ship:ship", "Ship the log to date-partitioned Parquet files."),
    "compact": ("penchant.cli.compact:compact", "Give a store's free space back to the disk."),
    "backup": ("penchant.cli.backup:backup", "Copy a store while it serves."),
    "migrate": ("penchant.cli.migrate:migrate", "Move a store from LMDB to Valkey, or back."),
    "loop": ("penchant.cli.loop:loop", "Run the slow clock as one resumable job."),
    "home-encoder": (
        "penchant.cli.home_encoder:home_encoder",
        "Export the encoder that understands a smart home.",
    ),
    "home-data": (
        "penchant.cli.home_data:home_data",
        "Write training sentences of a smart home.",
    ),
    "config": ("penchant.cli.config_commands:app", "Show the settings, or begin a settings file."),
    "demo": ("demos.films.demo:demo", "Watch Penchant learn from MovieLens."),
    "demo-ads": (
        "demos.ads.demo_ads:demo_ads",
        "Watch a day of ads under caps and budgets.",
    ),
    "demo-games": (
        "demos.games.demo_games:demo_games",
        "Watch simulated players being recommended Debian's games.",
    ),
    "demo-home": (
        "demos.home.demo_home:demo_home",
        "Watch a smart home understand, ask and learn.",
    ),
    "demo-release": (
        "demos.release.demo_release:demo_release",
        "Watch a release being made, served and taken back.",
    ),
}
"""Name to `module:attribute` and one line of help, in the order of the help."""

_EPILOGUE = (
    f"Options and settings not given are taken from the file of --config, else from {FILE} in the "
    "working directory; `penchant config show` shows them. With --log-format json, every command "
    "says what it says as JSON, one object a line."
)


def make_app(chosen: str = "") -> App:
    """The command line, with every command of the table; imports none of them.

    The help of the chosen command is its docstring, that of the others their line in the table.
    """
    app = App(
        name="penchant",
        help="Per-user online learning and ranking inside NVIDIA Triton Inference Server.",
        help_epilogue=_EPILOGUE,
        # Read when a command is about to run; options that were given go before it.
        config=FileOptions(COMMANDS),
        version=metadata.version("penchant"),
        # Of an option given twice, the last one counts; those that repeat are tuples.
        default_parameter=Parameter(negative=(), allow_repeating=True, show_default=_shown),
        result_action="return_value",
        # `run` prints the error of a wrong call, as everything that people read.
        print_error=False,
        exit_on_error=False,
    )
    for place, (name, (target, line)) in enumerate(COMMANDS.items()):
        app.command(target, name=name, help=None if name == chosen else line, sort_key=place)
    return app


def _shown(default: object) -> str | None:
    """A default as the help shows it; None hides those of flags and of empty options."""
    if default is None or default is False or default in ("", ()):
        return None
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)


def options_of(name: str) -> dict[str, bool]:
    """The long options of a command, and whether each is a flag."""
    arguments = make_app()[name].assemble_argument_collection()
    pairs = ((one, argument.hint is bool) for argument in arguments for one in argument.names)
    return {one: flag for one, flag in pairs if one.startswith("--") and one != "--help"}


def check_settings_file(file: SettingsFile) -> None:
    """Checks the options of every command that the file has a table for.

    Raises:
        ConfigError: a key is no option of its command, or a value does not fit.
    """
    app = make_app()
    for key, table in file.table.items():
        name = key if key in COMMANDS else key.replace("_", "-")
        if name not in COMMANDS or not isinstance(table, dict):
            continue
        members = members_of(app[name])
        alone = app[name].default_command is not None
        if alone:
            FileOptions.check(file, (name,), app[name].assemble_argument_collection(), members)
        for member, options in table.items() if members else ():
            if member not in members or not isinstance(options, dict):
                if alone:
                    continue
                raise file.unknown((key, member), members)
            FileOptions.check(
                file, (name, member), app[name][member].assemble_argument_collection()
            )


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line and returns its exit status: 0 done, 1 failed, 2 misused or refused.

    An error that Penchant foresees becomes one plain line on standard error, and so does one of
    the operating system.
    """
    before = os.environ.get(LOG_FORMAT)
    try:
        return _run(arguments)
    finally:
        _set(LOG_FORMAT, before)


def _run(arguments: Sequence[str] | None) -> int:
    escape_what_cannot_be_encoded()
    chosen = ""
    try:
        given = [_as_utf8(one) for one in sys.argv[1:]] if arguments is None else list(arguments)
        given, file = _without_config(given)
        given = [sealed_within(one) for one in _without_log_format(given)]
        (variable,) = STORE_IN_USE.env_var or ("",)
        if variable in os.environ:
            os.environ[variable] = sealed(os.environ[variable])
        chosen = next(iter(given), "")
        if COMMANDS.get(chosen, ("", ""))[0].startswith("demos."):
            _find_demos(chosen)
        with _settings_file(file):
            status = make_app(chosen)(given)
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
    except CycloptsError as error:
        unknown = isinstance(error, UnknownCommandError) and chosen not in COMMANDS
        _print_misuse(_unknown_command(chosen) if unknown else str(error))
        return 2
    except BrokenPipeError:  # Whoever read the output, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Python would complain at its end.
        return 1
    except OSError as error:  # A full disk, a file system that went read-only, a quota.
        return _failed(_os_error_text(error), type(error).__name__)
    except MemoryError:
        return _failed("out of memory; raise the limit, or give it less at a time", "MemoryError")
    except Exception as error:
        if not isinstance(error, _foreseen()):
            raise
        return _failed(printable_lines(str(error)), type(error).__name__)
    return status if isinstance(status, int) else 0


def _failed(text: str, reason: str) -> int:
    """Says why the command failed, as a person or as a program reads it; the exit status."""
    line = json_line("ERROR", text, reason=reason) if logs_are_json() else f"penchant: {text}"
    print(line, file=sys.stderr)
    return 1


def _as_utf8(argument: str) -> str:
    """An argument as text, also where the locale has only ASCII; other bytes stay as they are."""
    return os.fsencode(argument).decode("utf-8", "surrogateescape")


def _unknown_command(name: str) -> str:
    """The error for a name that is no command; cyclopts would import every command for it."""
    near = get_close_matches(name, COMMANDS, 1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"Unknown command: {name}.{hint} `penchant --help` lists the commands."


def _print_misuse(error: str) -> None:
    """Prints the error of a call that does not fit its command."""
    from cyclopts.panel import CycloptsPanel

    from penchant.report.terminal import terminal

    terminal(stderr=True).print(CycloptsPanel(error))


def _without_config(given: Sequence[str]) -> tuple[list[str], str | None]:
    """The arguments without `--config FILE`, which may stand anywhere, and the file."""
    from penchant.domain.errors import ConfigError

    rest: list[str] = []
    file = None
    words = iter(given)
    for word in words:
        if word == "--":
            return [*rest, word, *words], file
        name, equals, value = word.partition("=")
        if name != "--config":
            rest.append(word)
            continue
        file = value if equals else next(words, "")
        if not file or not Path(file).is_file():
            raise ConfigError(f"--config: got {file!r}, expected a file in TOML")
    return rest, file


def _without_log_format(given: Sequence[str]) -> list[str]:
    """The arguments without `--log-format FORMAT`, which holds for all processes of the command."""
    from penchant.domain.errors import ConfigError

    rest: list[str] = []
    words = iter(given)
    for word in words:
        if word == "--":
            rest += [word, *words]
            break
        name, equals, value = word.partition("=")
        if name != "--log-format":
            rest.append(word)
            continue
        chosen = value if equals else next(words, "")
        if chosen not in FORMATS:
            raise ConfigError(f"--log-format: got {chosen!r}, expected {' or '.join(FORMATS)}")
        os.environ[LOG_FORMAT] = chosen
    if logs_are_json():
        log_as_json()
    return rest


@contextmanager
def _settings_file(file: str | None) -> Iterator[None]:
    """Makes a file the settings file of this command and of those that it runs as processes."""
    before = os.environ.get(VARIABLE)
    if file is not None:
        os.environ[VARIABLE] = str(Path(file).absolute())
    try:
        yield
    finally:
        _set(VARIABLE, before)


def _set(variable: str, value: str | None) -> None:
    """Sets a variable of the environment; None: removes it."""
    if value is None:
        os.environ.pop(variable, None)
    else:
        os.environ[variable] = value


def _find_demos(name: str) -> None:
    """Puts the repository on the path for a demo: demos and simulators are not in the wheel."""
    from penchant.domain.errors import ConfigError

    repository = Path(__file__).resolve().parents[3]
    if not (repository / "demos" / "__init__.py").is_file():
        raise ConfigError(
            f"{name}: the demos are not part of the installed package; clone the repository and "
            f"run `make {name}` there"
        )
    if str(repository) not in sys.path:
        sys.path.append(str(repository))


def main() -> None:
    """The entry point of the `penchant` program."""
    sys.exit(run())


def _os_error_text(error: OSError) -> str:
    """The reason of an error of the operating system, with its file if there is one."""
    from penchant.system.os_error_reason import reason_of

    place = f"{printable_lines(str(error.filename))}: " if error.filename else ""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return f"{place}{reason_of(error)}{'; free space and run it again' if full else ''}"


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
