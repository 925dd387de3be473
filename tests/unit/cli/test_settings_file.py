"""`penchant.toml`: read by every command, checked by name and type, below what was typed."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from penchant.cli import client
from penchant.cli.config_init import template
from penchant.cli.file_options import members_of
from penchant.cli.main import COMMANDS, make_app
from penchant.cli.settings_file import SettingsFile
from penchant.config import Config, parse, setting_names, value_of
from penchant.domain.signals import SIGNAL_TABLES, as_text, merged_signals
from penchant.launch import layout
from penchant.launch.model_config import parse_config
from penchant.system.option_types import ENCODER_IN_USE, STORE_IN_USE, TARGET_IN_USE
from penchant_sdk.testing import FakePenchant, FakeServer
from tests.support.command import Ran, run
from tests.unit.launch.standin import write_sources


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, in which install finds something to install."""
    sources = write_sources(tmp_path)
    monkeypatch.setattr(layout, "find_sources", lambda: sources)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def install(*more: object) -> Ran:
    places = ["--backends", "b", "--models", "m", "--create"]
    return run(["install", *places, *more])


def installed() -> dict[str, str]:
    """The parameters that install wrote."""
    text = Path("m/penchant_rank/config.pbtxt").read_text()
    return {name: one.string_value for name, one in parse_config(text).parameters.items()}


def write(text: str, name: str = "penchant.toml") -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_store_encoder_and_settings_are_given_once_for_all(place: Path) -> None:
    write('store = "lmdb:data"\nencoder = "enc"\n[settings]\nridge = 5\nencoder_fallback = false\n')
    assert install().exit_code == 0
    assert installed() == {
        "store": f"lmdb:{place / 'data'}",
        "encoder": str(place / "enc"),
        "ridge": "5",
        "encoder_fallback": "false",
    }


def test_every_command_with_such_an_option_takes_it_from_the_file() -> None:
    app = make_app()
    marks = {"--store": STORE_IN_USE, "--encoder": ENCODER_IN_USE, "--target": TARGET_IN_USE}
    reads_a_log = {"evaluate", "gate", "fit", "finetune", "prune", "quantize", "calibrate"}
    for name in COMMANDS:
        if name == "config" or name.startswith("demo"):
            continue
        group = app[name]
        found = [group, *(group[member] for member in members_of(group))]
        arguments = (one.assemble_argument_collection() for one in found if one.default_command)
        for argument in chain.from_iterable(arguments):
            # A server gets as much load as it bears only if it is named on the command line.
            if (name, argument.name) == ("capacity", "--target"):
                assert not argument.parameter.env_var
                continue
            if argument.name in marks and not (argument.name == "--store" and name in reads_a_log):
                assert argument.parameter.env_var == marks[argument.name].env_var, (name, argument)


def test_the_command_line_goes_before_the_environment_and_that_before_the_file(
    monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    write('store = "lmdb:of-file"\nencoder = "of-file"\n[settings]\nridge = 5\nfast_weight = 3\n')
    monkeypatch.setenv("PENCHANT_STORE", "lmdb:/of-environment")
    monkeypatch.setenv("PENCHANT_ENCODER", "/of-environment")
    assert install("--encoder", "/typed", "--set", "ridge=7").exit_code == 0
    assert installed() == {
        "store": "lmdb:/of-environment",
        "encoder": "/typed",
        "ridge": "7",
        "fast_weight": "3",
    }


def test_a_command_has_a_table_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    server = FakeServer()
    asked: list[str] = []

    def connect(connection: client.Connection) -> FakePenchant:
        asked.append(connection.target)
        return FakePenchant(server)

    monkeypatch.setattr(client, "connect", connect)
    write('target = "host:1"\n[rank]\njson = true\n[user]\ntarget = "host:2"\n')
    assert json.loads(run(["rank", "u"]).stdout)["cold_start"] is True
    run(["user", "u"])
    run(["rank", "u", "--target", "host:3"])
    assert asked == ["host:1", "host:2", "host:3"]


def test_config_names_another_file_and_the_directories_above_are_not_searched(
    monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    write("[settings]\nridge = 5\n")
    other = write('store = "lmdb:s"\nencoder = "e"\n[settings]\nridge = 6\n', "etc/other.toml")
    for arguments in (["--config", other], [f"--config={other}"]):
        assert install(*arguments).exit_code == 0
        assert installed()["ridge"] == "6"
        assert installed()["store"] == f"lmdb:{place / 'etc' / 's'}"  # Relative to the file.
    monkeypatch.setenv("PENCHANT_CONFIG", str(other))
    assert "ridge = 6.0" in run(["config", "show"]).stdout
    monkeypatch.delenv("PENCHANT_CONFIG")
    monkeypatch.chdir(place / "etc")
    assert re.search(r"ridge = 10.0 +# default", run(["config", "show"]).stdout)
    lost = run(["rank", "u", "--config", "none.toml"])
    assert (lost.exit_code, "--config: got 'none.toml'" in lost.stderr) == (1, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stroe = 'x'", "penchant.toml:1: stroe: unknown key, .*; did you mean store?"),
        ("\n\nstore = 5", "penchant.toml:3: store: got 5, expected a string"),
        ("[setings]\nridge = 1", "penchant.toml:1: setings: .*did you mean settings?"),
        ("[settings]\n\nrigde = 1", "penchant.toml:3: settings.rigde: .*did you mean ridge?"),
        ("[settings]\nridge = '1'", "penchant.toml:2: settings.ridge: got '1', expected a number"),
        ("[settings]\nridge = true", "settings.ridge: got True, expected a number"),
        ("[settings]\nridge = 0", "penchant.toml:2: settings.ridge: got 0.0, expected more than 0"),
        ("[settings]\nwindow_events = 6.5", "window_events: got 6.5, expected a whole number"),
        ("[settings]\nencoder_fallback = 1", "encoder_fallback: got 1, expected true or false"),
        ("[settings]\nencoder_runtime = 'onxx'", "encoder_runtime: got 'onxx', expected one of"),
        ("[settings]\nstore = 'lmdb:x'", "penchant.toml:2: settings.store: expected at the top"),
        ("settings.rigde = 1", "penchant.toml:1: settings.rigde: .*did you mean ridge?"),
        ("[rank]\nkk = 1", "penchant.toml:2: rank.kk: unknown key, .*did you mean k?"),
        ("[rank]\nk = 'x'", "penchant.toml:2: rank.k: got 'x', expected a whole number"),
        ("[rank]\nk = 0", "penchant.toml:2"),
        ("[rank]\nexplain = 1", "rank.explain: got 1, expected true or false"),
        ("[rank]\ncontext = 'a'\nk = [1]", r"rank.k: got \[1\], expected a whole number"),
        ("signals = 'adds'", "penchant.toml:1: signals.*: got 'adds', expected JSON or some of"),
        ("[signals]\nlike = {reward = 2}", "penchant.toml:2: signals.*got 2.0, expected -1 to 1"),
        (
            "[signals]\nlike = {rewrad = 1}",
            "signals.like: rewrad: unknown field; did you mean reward?",
        ),
        ("[signals]\nlike = {reward = 'x'}", "signals.like: reward: got 'x', expected a number"),
        ("[signals]\nbase = 'adds'", "signals.*: got 'adds'"),
        ("[signals]\nlike = false", "like: got false, but the base has no such signal"),
        ("[signals]\nfile = 'none.toml'", "signals.file: none.toml|can't be read"),
        ("rank = 5", "rank: got 5, expected a table"),
        ("a = ?", "penchant.toml is not TOML: .*line 1"),
        ("a = " + "[" * 300 + "]" * 300, "penchant.toml is nested too deeply"),
        ("a = " + "[" * 3000 + "]" * 3000, "penchant.toml is nested too deeply"),
        ("store = 'redis:x'", "penchant.toml:1: store: got 'redis:x', expected lmdb:"),
        ("store = ''", "penchant.toml:1: store: got '', expected lmdb:"),
        ("[[signals]]\nlike = {reward = 1}", r"signals: got several tables, \[\[signals\]\]"),
        ('signals = \'{"a": {}, "a": {}}\'', "signals: the key 'a' is given twice"),
    ],
)
def test_what_does_not_fit_is_refused_with_file_line_key_and_remedy(text: str, said: str) -> None:
    write(text + "\n")
    result = run(["rank", "u"], columns=400)
    assert result.exit_code in (1, 2)
    assert re.search(said.replace("mean k?", r"mean k\?"), result.stderr), result.stderr


@pytest.mark.parametrize(
    "text",
    [
        "store = 'valkey://ann:se/cret@cache/shop'",
        "store = 'valkey://ann:se?cret@cache/shop'",
        "store = 'valkey://ann:secret@cache/a shop'",
        "store = ['valkey://ann:secret@cache/shop']",
        "[settings]\nstore = 'valkey://ann:secret@cache/shop'",
        "[settings]\nridge = 'valkey://ann:secret@cache/shop'",
    ],
)
def test_no_refusal_of_the_file_shows_a_password(text: str) -> None:
    write(text + "\n")
    for command in (["rank", "u"], ["config", "show"]):
        result = run(command, columns=400)
        assert result.exit_code == 1
        assert "cret" not in result.stderr + result.stdout, result.stderr


def test_the_files_of_an_address_are_looked_for_beside_the_file_that_names_them(
    place: Path,
) -> None:
    path = write(
        "store = 'valkeys://ann@cache/shop?password_file=pw&ca=ca.pem'\n", "etc/penchant.toml"
    )
    file = SettingsFile(path, path.read_text(), tomllib.loads(path.read_text()))
    assert file.in_use["store"] == (
        f"valkeys://ann@cache/shop?password_file={place}/etc/pw&ca={place}/etc/ca.pem"
    )


def test_show_checks_the_tables_of_all_commands() -> None:
    write("[serve]\nrank_instanses = 4\n")
    assert "did you mean rank_instances?" in run(["config", "show"]).stderr
    write('[serve]\nset = ["rigde=5"]\n')
    assert "penchant.toml:2: serve.set.rigde: unknown key" in run(["config", "show"]).stderr
    write('[serve]\nset = ["ridge=-1"]\n')
    assert "penchant.toml:2: serve.set: got -1.0, expected" in run(["config", "show"]).stderr
    write('[serve]\nset = ["ridge"]\n')
    assert "penchant.toml:2: serve.set: got 'ridge', expected" in run(["config", "show"]).stderr
    write("[import.items]\ntext_tmplate = 'x'\n")
    assert "import.items.text_tmplate" in run(["config", "show"]).stderr
    write("[import.itmes]\nx = 1\n")
    assert "did you mean items?" in run(["config", "show"]).stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('signals = "ads"', {"base": "ads"}),
        ('signals = ["default", "ads"]', {"base": "default,ads"}),
        ('[settings]\nsignals = "games"', {"base": "games"}),
        (
            '[signals]\nbase = "ads"\nclick = {weight = 3}\nhide = false',
            {"base": "ads", "click": {"weight": 3.0}, "hide": False},
        ),
        ("[signals.like]\nreward = 0.5", {"like": {"reward": 0.5}}),
        (
            '[signals]\nfile = "etc/more.toml"\nlike = {reward = 0.25}',
            {"base": "home", "like": {"reward": 0.25}, "wave": {"reward": 0.1}},
        ),
    ],
)
def test_signals_are_given_by_table_by_rows_or_by_file_merged_over_a_base(
    text: str, expected: Mapping[str, Any]
) -> None:
    write('base = "home"\nlike = {reward = 1}\nwave = {reward = 0.1}\n', "etc/more.toml")
    write(f'store = "lmdb:s"\nencoder = "e"\n{text}\n')
    done = install()
    assert done.exit_code == 0, done.stderr
    config = parse(installed())
    assert as_text(config.signals) == as_text(merged_signals(expected))


def test_a_table_in_json_may_name_its_base_too() -> None:
    text = '{"base": "home", "undone": {"weight": 3.0}}'
    config = parse({"store": "memory:", "encoder": "e", "signals": text})
    assert config.signals["undone"].weight == 3.0
    assert config.signals.keys() == SIGNAL_TABLES["home"].keys()


def test_init_writes_a_file_that_explains_all_settings_and_changes_none() -> None:
    assert run(["config", "init"]).exit_code == 0
    assert tomllib.loads(Path("penchant.toml").read_text()) == {"settings": {}}
    plain = run(["config", "show"]).stdout
    assert "penchant.toml" not in plain
    again = run(["config", "init"])
    assert (again.exit_code, "exists already" in again.stderr) == (1, True)
    _, _, settings = template().partition("[settings]")
    settings = settings.partition("# Options of one command")[0]
    rows = re.findall(r"^# (\w+ = .*)$", settings, re.MULTILINE)
    write("[settings]\n" + "\n".join(rows) + "\n")
    shown = tomllib.loads(run(["config", "show"]).stdout)["settings"]
    config = Config("memory:", Path("e"))
    for name, value in shown.items():
        if name not in ("signals", "catalog_dir", "releases_dir", "state_dir", "token_keys"):
            assert value == value_of(config, name)
    assert set(shown) == {*setting_names()} - {"store", "encoder"}


def test_show_says_where_each_value_comes_from_and_explains_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write('target = "h:1"\n[settings]\nridge = 5\n[serve]\nrank_instances = 4\n')
    monkeypatch.setenv("PENCHANT_STORE", "lmdb:/s")
    shown = run(["config", "show", "--explain", "--set", "fast_weight=3"]).stdout
    for line in (
        r'store = "lmdb:/s" +# environment: PENCHANT_STORE',
        r'target = "h:1" +# penchant.toml:1',
        r"# lambda: strength of the pull.* Range: more than 0.\nridge = 5.0 +# penchant.toml:3",
        r"fast_weight = 3.0 +# command line",
        r"window_events = 256 +# default",
        r"rank_instances = 4 +# penchant.toml:5",
    ):
        assert re.search(f"^{line}$", shown, re.MULTILINE), line
    assert tomllib.loads(shown)["serve"] == {"rank_instances": 4}


CONFLICT = "[settings]\nridge = 5\n[{0}]\nset = {1}\n"


@pytest.mark.parametrize("command", ["install", "evaluate", "refresh"])
@pytest.mark.parametrize("written", ['["ridge=7"]', "{ridge = 7}", '"ridge=7"'])
def test_a_setting_for_all_commands_and_another_for_one_are_refused_with_both_places(
    command: str, written: str
) -> None:
    write(CONFLICT.format(command, written))
    for ran in (run(["config", "show"]), *([install()] if command == "install" else [])):
        assert ran.exit_code == 1
        assert f"penchant.toml:4: {command}.set: got 'ridge=7'" in ran.stderr
        assert "penchant.toml:2 has settings.ridge; remove one" in ran.stderr


def test_a_setting_of_one_command_counts_there_beside_those_typed_and_show_says_so() -> None:
    of_all = 'store = "lmdb:s"\nencoder = "e"\n[settings]\nridge = 5\n'
    write(f'{of_all}[install]\nset = ["fast_weight=3", "ridge=5"]\n')
    assert install("--set", "window_events=9").exit_code == 0
    kept = {name: installed()[name] for name in ("ridge", "fast_weight", "window_events")}
    assert kept == {"ridge": "5", "fast_weight": "3", "window_events": "9"}
    shown = run(["config", "show"]).stdout
    assert re.search(
        r"^fast_weight = [\d.]+ +# default; penchant install: 3 \(penchant.toml:6\)$",
        shown,
        re.MULTILINE,
    )


@pytest.mark.parametrize("kind", ["a directory", "a link to nothing", "not to be read"])
def test_a_settings_file_that_is_there_and_cannot_be_read_is_not_passed_over(kind: str) -> None:
    path = Path("penchant.toml")
    if kind == "a directory":
        path.mkdir()
    elif kind == "a link to nothing":
        path.symlink_to("nowhere.toml")
    else:
        path.write_bytes('store = "lmdb:é"'.encode("utf-16"))
    for command in (["config", "show"], ["install", "--backends", "b", "--models", "m"]):
        ran = run(command)
        assert ran.exit_code == 1
        assert "--config: penchant.toml" in ran.stderr


def test_a_byte_order_mark_before_the_first_line_is_no_part_of_it() -> None:
    Path("penchant.toml").write_bytes('store = "lmdb:data"\n'.encode("utf-8-sig"))
    ran = run(["config", "show"])
    assert (ran.exit_code, "penchant.toml:1" in ran.stdout) == (0, True)


def test_a_key_in_two_spellings_is_refused_with_the_line_of_the_second() -> None:
    write("[serve]\nrank-instances = 3\nrank_instances = 4\n")
    said = "penchant.toml:3: serve.rank_instances: given twice, as rank-instances too; remove one"
    assert said in run(["config", "show"]).stderr
