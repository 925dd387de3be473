"""Generates the reference pages of the documentation from the code.

    mkdocs build                                   runs this file as a hook, see mkdocs.yml
    python docs/generate_reference.py DIRECTORY    writes the pages into a directory

Nothing generated is committed: the pages exist in the built site alone.
"""

from __future__ import annotations

import dataclasses
import inspect
import io
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

from contract_page import contract_page
from markdown_text import fenced, page, table
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

import penchant_sdk
from penchant.cli.config_init import template
from penchant.cli.main import COMMANDS, main
from penchant.config import Config, allowed
from penchant.domain.errors import ConfigError, PenchantError
from penchant.domain.limits import Limits
from penchant.domain.settings import FoldSettings
from penchant.domain.signals import SIGNAL_TABLES
from penchant.launch.errors import LaunchError, TritonAborted
from penchant.loop.loop_state import LockHeld
from penchant.refresh.refresh_turn import RefreshRunning
from penchant.server.metric_table import COSINES, GROUPS, SECONDS, SIZES
from penchant.server.triton.errors import CODE_OF
from penchant.shipping.ship import ShippingUnderWay
from penchant.system.attribute_docs import attribute_docs
from penchant.training.compress.encoder_comparison import LossBudgetExceeded
from penchant_sdk import ads, errors, games, home, testing

HELP_WIDTH = 100
_BOX = re.compile(r"[╭╰]─ ?(.*?) ?─*[╮╯]$")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def pages() -> dict[str, str]:
    """Every generated page: its path below `docs` and its Markdown."""
    return {
        "reference/commands.md": commands_page(),
        "reference/settings.md": settings_page(),
        "reference/signals.md": signals_page(),
        "reference/limits.md": limits_page(),
        "reference/errors.md": errors_page(),
        "reference/metrics.md": metrics_page(),
        "reference/contract.md": contract_page(),
        **{f"reference/{name}.md": sdk_page(*page) for name, page in SDK_PAGES.items()},
    }


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the generated pages to the site; mkdocs calls this once per build."""
    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    return files


# The command line


def help_of(*words: str, width: int = HELP_WIDTH) -> str:
    """What `penchant WORDS --help` prints, without the boxes drawn around its parts."""
    printed = io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["penchant", *words, "--help"]),
        mock.patch.dict(os.environ, {"COLUMNS": str(width), "TERM": "dumb", "NO_COLOR": "1"}),
        redirect_stdout(printed),
    ):
        try:
            main()
        except SystemExit as stop:
            if stop.code:
                raise RuntimeError(f"penchant {' '.join(words)} --help failed") from stop
    lines = [_unboxed(line) for line in _ANSI.sub("", printed.getvalue()).splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def _unboxed(line: str) -> str:
    line = line.strip()
    if match := _BOX.match(line):
        return f"\n{match[1]}:" if match[1] else ""
    return f"  {line.strip('│').strip()}" if line.startswith("│ -") else line.strip("│").rstrip()


def commands() -> Iterator[tuple[str, ...]]:
    """Every command as its words, groups before their members: `("import", "items")`."""
    for name in COMMANDS:
        yield (name,)
        for member in _members(help_of(name)):
            yield name, member


def _members(text: str) -> list[str]:
    """The names below `Commands:` in a help text."""
    _, _, listed = text.partition("\nCommands:\n")
    return re.findall(r"^ +([a-z][a-z-]*) {2,}\S", listed, re.MULTILINE)


def commands_page() -> str:
    """The help text of every command."""
    rows = [(f"[`penchant {name}`](#{name})", line) for name, (_, line) in COMMANDS.items()]
    parts = [
        "# Commands",
        "The help text of every command. `penchant COMMAND --help` prints the same.",
        table(("command", "what it does"), rows),
    ]
    for words in commands():
        anchor, name = "-".join(words), " ".join(words)
        heading = "##" if len(words) == 1 else "###"
        parts += [f"{heading} penchant {name} {{ #{anchor} }}", fenced(help_of(*words))]
    return page(parts)


# Settings, signals, limits


def settings_page() -> str:
    """Every setting with its default, its range and its meaning."""
    own = {field.name: field for field in dataclasses.fields(Config)}
    for name in ("fold", "limits", "given"):
        del own[name]
    fold = {field.name: field for field in dataclasses.fields(FoldSettings)}
    head = ("setting", "default", "range", "meaning")
    return page(
        [
            "# Settings",
            "A setting is a parameter of the five models. Write it into "
            "[`penchant.toml`](../guides/configure.md), or pass it as `--set KEY=VALUE` to "
            "`penchant serve` or `penchant install`, which writes it into each `config.pbtxt`. An "
            "unknown name is an error. The server keeps what it is given in its store, and "
            "commands that work beside it, such as `refresh`, `publish` and `rebuild`, take it "
            "from there. The settings of one machine are not kept: `store_map_bytes`, "
            "`encoder_threads`, `encoder_runtime` and `encoder_fallback`.",
            "## Storage, encoder, popularity, exploration",
            table(head, _settings(Config, own)),
            "The signal tables are listed under [Signals](signals.md).",
            "## Fold and score",
            "[The fold](../concepts/fold.md) explains the Greek letters. A refresh learns the "
            "weights of the score; `penchant fit` searches what it does not learn, on your own "
            "log.",
            table(head, _settings(FoldSettings, fold)),
            "## As a file",
            "`penchant config init` writes this file, in which every key is a comment:",
            fenced(template(), "toml"),
        ]
    )


def _settings(cls: type, fields: Mapping[str, dataclasses.Field[Any]]) -> Iterator[tuple[str, ...]]:
    meanings = attribute_docs(cls)
    for name, field in fields.items():
        yield f"`{name}`", _default(field), allowed(name), meanings[name]


def _default(field: dataclasses.Field[Any]) -> str:
    if field.name == "signals":
        return "`default`"
    value = field.default
    if value is dataclasses.MISSING:
        return "required"
    if value is None:
        return "inside the store"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str):
        return f"`{value}`"
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.10g}"
    if field.name.endswith("_bytes"):
        text += f" ({value / 2**30:g} GiB)"
    if field.name.endswith("_s") and value >= 86400:
        text += f" ({value / 86400:g} days)"
    return text


def signals_page() -> str:
    """Every row of every signal table."""
    parts = [
        "# Signals",
        "A signal names what happened; its row says what the event is worth. The setting "
        "`signals` selects tables by name (`default`, or several as in `default,ads`) or gives a "
        "table as JSON. If a signal has a neutral value and a scale, an event's value determines "
        "its reward: (value − neutral) / scale, clipped to −1 to 1. A value out of its range "
        "is refused.",
        "An impression counts only after `wait_s` seconds without an answer. A signal with "
        "`owned` makes the item the user's own, so that `exclude_owned` leaves it out.",
    ]
    head = (
        "signal",
        "reward",
        "weight",
        "neutral",
        "scale",
        "value required",
        "values",
        "wait_s",
        "owned",
    )
    for name, rows in SIGNAL_TABLES.items():
        parts += [f"## {name}", table(head, (_signal(signal, rows[signal]) for signal in rows))]
    return page(parts)


def _signal(name: str, row: Any) -> tuple[str, ...]:
    numbers = [row.reward, row.weight, row.neutral, row.scale]
    cells = ["" if number is None else f"{number:g}".replace("-", "−") for number in numbers]
    wait = "" if row.wait_s is None else f"{row.wait_s:g}"
    bounds = [row.value_min, row.value_max]
    low, high = ("" if bound is None else f"{bound:g}" for bound in bounds)
    values = f"{low} to {high}" if low and high else f"{low} or more" if low else high
    yes = ("yes" if row.value_required else "", values, wait, "yes" if row.owned else "")
    return f"`{name}`", *cells, *yes


def limits_page() -> str:
    """The maxima of one call."""
    meanings = attribute_docs(Limits)
    rows = [
        (f"`{field.name}`", f"{field.default:,}", meanings[field.name])
        for field in dataclasses.fields(Limits)
    ]
    text = "A call beyond a limit is refused with `InvalidRequest` or `InvalidEvent`, and the "
    text += "message names the limit. The SDK splits long lists of items, ids, events and texts."
    return page(["# Limits", text, table(("limit", "at most", "of"), rows)])


# Errors and metrics


def errors_page() -> str:
    """Every error with its cause and its remedy."""
    server = [cls for cls in PenchantError.__subclasses__() if cls is not ConfigError]
    refusals = [LossBudgetExceeded, LockHeld, RefreshRunning, ShippingUnderWay]
    reasons = {cls.__name__ for cls in server}
    client = [cls for cls in descendants(errors.PenchantError) if cls.__name__ not in reasons]
    rows = [
        (f"[`{cls.__name__}`](#{cls.__name__})", f"`{CODE_OF[cls.kind]}`", _retried(cls.__name__))
        for cls in server
    ]
    parts = [
        "# Errors",
        "A message begins with the error's reason in brackets, then names the field, the value "
        "and the expectation: `[InvalidRequest] k: got 0, expected 1 to 1000`. Reasons are "
        "stable: rely on them. The SDK raises an exception of the same name from "
        "[`penchant_sdk`](sdk.md). Faults of the server carry no details; its log has them. A "
        "cold user (`cold_start`) and a repeated event (`DUPLICATE`) are not errors.",
        "## Errors of a call",
        table(("reason", "Triton status", "retried by the SDK"), rows),
    ]
    for title, group in (
        ("", server),
        ("## Errors of the connection", client),
        (
            "## Errors of a start or of a command",
            [ConfigError, LaunchError, TritonAborted, *refusals],
        ),
    ):
        parts += [title] if title else []
        for cls in group:
            parts += [f"### {cls.__name__} {{ #{cls.__name__} }}", *explained(cls)]
    return page(parts)


def explained(cls: type[Exception]) -> tuple[str, str, str]:
    """An error's meaning, cause and remedy, from its docstring.

    Raises:
        ValueError: the docstring lacks one of the three.
    """
    text = " ".join(inspect.getdoc(cls).split())  # type: ignore[union-attr]  # A test asks for one.
    match = re.fullmatch(r"(.+?) Cause: (.+?) Remedy: (.+)", text.partition(" >>> ")[0])
    if match is None:
        raise ValueError(f"{cls.__name__}: expected a docstring with `Cause:` and `Remedy:`")
    return match[1], f"**Cause:** {match[2]}", f"**Remedy:** {match[3]}"


def descendants(cls: type[Exception]) -> Iterator[type[Exception]]:
    """The subclasses of a class, and theirs."""
    for child in cls.__subclasses__():
        yield child
        yield from descendants(child)


def _retried(reason: str) -> str:
    return "yes" if issubclass(getattr(errors, reason), errors.Unavailable) else "no"


def metrics_page() -> str:
    """Every Prometheus metric."""
    parts = [
        "# Metrics",
        "Served on Triton's metrics port, `http://HOST:8002/metrics`, next to Triton's own "
        "`nv_inference_*`. Each series has the label `model`, those in the table, and `tenant` "
        "where it is a tenant's. "
        "[Operate](../operations.md#what-to-watch) says which to watch.",
    ]
    for title, families in GROUPS.items():
        rows = [
            (
                f"`{name}`",
                family.kind.value,
                ", ".join(f"`{label}`" for label in family.labels),
                f"{family.meaning}.",
            )
            for name, family in families.items()
        ]
        parts += [f"## {title}", table(("metric", "type", "labels", "meaning"), rows)]
    seconds, sizes, cosines = (
        ", ".join(f"{bound:g}" for bound in bounds) for bounds in (SECONDS, SIZES, COSINES)
    )
    parts += [
        "## Buckets",
        f"In seconds: {seconds}. Of sizes: {sizes}. Of drift: {cosines}. Triton's Python backend "
        "takes observations one message each, so a histogram is sent as three counters, "
        "`…_bucket`, `…_sum` and `…_count`, whose `TYPE` is `counter`; `histogram_quantile` "
        "works on them as on any histogram. Health checks count nowhere.",
    ]
    return page(parts)


# The SDK

SDK_PAGES: dict[str, tuple[Any, str]] = {
    "sdk": (penchant_sdk, "The SDK"),
    "sdk-ads": (ads, "SDK: ads"),
    "sdk-games": (games, "SDK: games"),
    "sdk-home": (home, "SDK: home"),
    "sdk-testing": (testing, "SDK: testing"),
}
"""A page per public package: the package and the page's title."""


def sdk_page(package: Any, title: str) -> str:
    """The public names of a package, described by their docstrings."""
    kinds: dict[str, Callable[[str, Any], bool]] = {
        "Clients": lambda name, found: name.endswith(("Client", "Penchant")),
        "Errors": lambda name, found: isinstance(found, type) and issubclass(found, Exception),
        "Types": lambda name, found: True,
    }
    parts = [f"# {title}", f"`import {package.__name__}`"]
    names = sorted(package.__all__, key=lambda name: name.startswith("Async"))
    left = {name: getattr(package, name) for name in names}
    for kind, belongs in kinds.items():
        chosen = [name for name, found in left.items() if belongs(name, found)]
        if chosen:
            parts += [f"## {kind}", *(f"::: {package.__name__}.{name}" for name in chosen)]
        left = {name: found for name, found in left.items() if name not in chosen}
    return page(parts)


if __name__ == "__main__":
    for path, text in pages().items():
        target = Path(sys.argv[1], path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
