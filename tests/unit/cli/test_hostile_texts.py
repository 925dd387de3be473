"""Ids, texts and attributes with any character, through every command that prints them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from penchant.cli import client
from penchant_sdk import Event, Item
from penchant_sdk.errors import PenchantError
from penchant_sdk.testing import FakePenchant, FakeServer
from tests.support import command
from tests.unit.report.test_terminal import HOSTILE, LAYOUT

ENCODABLE = [one for one in HOSTILE if one.isprintable() or ord(one) < 0xD800]


def accepts(penchant: FakePenchant, id_: str) -> bool:
    """Whether the server takes such an item; those that it refuses can't be printed."""
    try:
        penchant.put_items([Item(id_, f"a text of {id_}", {"title": f"[red]{id_}"})])
    except PenchantError:
        return False
    return True


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    server = FakeServer()
    monkeypatch.setattr(client, "connect", lambda target: FakePenchant(server))
    return server


def hostile_in(text: str) -> set[str]:
    return {one for one in text if one in HOSTILE} - LAYOUT


def test_no_command_prints_a_control_character_of_the_data(
    server: FakeServer, tmp_path: Path
) -> None:
    penchant = FakePenchant(server)
    user = "u[bold]\u202e"
    ids = [one for one in (f"i{one}" for one in ENCODABLE) if accepts(penchant, one)]
    texts = [Item(f"t{n}", f"text {one} end") for n, one in enumerate(ENCODABLE)]
    penchant.put_items(texts)
    penchant.feedback([Event(user, one, "like") for one in ids[:5]]).raise_for_refused()
    assert len(ids) > 10
    hostile = "".join(ENCODABLE)
    file = tmp_path / "items.csv"
    file.write_text(f'id,text\n"x\x1b[31m","y\u202e{hostile[1:9]}"\n,empty\n', encoding="utf-8")
    commands: list[list[object]] = [
        ["rank", user, "-k", "200"],
        ["rank", user, "-k", "200", "--explain"],
        ["rank", user, "--candidates", f"gone\x1b[31m,{ids[0]}"],
        ["feedback", user, ids[-1], "like", "--event-id", "e\x9b31m"],
        ["feedback", user, "no\x1b]0;title\x07such", "like"],
        ["feedback", user, ids[0], "no\x1b[31msignal"],
        ["rank", "v\x1b[31m\x9b"],
        ["rank", user, "-k", "\x1b[31m\u202e"],
        ["no\x1b[31msuch"],
        ["rank", user, "--config", "no\x1b[31msuch"],
        ["user", user],
        ["user", f"nobody{hostile[1:]}"],
        ["user", user, "--export", tmp_path / "out.json"],
        ["user", user, "--export", "-"],
        ["rank", user, "--json"],
        ["import", "items", file],
        ["evaluate", "--items", file, "--events", file],
        ["ope", file],
        ["user", user, "--forget", "--yes"],
    ]
    for arguments in commands:
        ran = command.run(arguments, columns=300)
        assert not hostile_in(ran.output), (arguments, ran.output)


def test_markup_in_a_title_is_a_title(server: FakeServer) -> None:
    FakePenchant(server).put_items([Item("1", "text", {"title": "[red]alarm[/red] :smile:"})])
    assert "[red]alarm[/red] :smile:" in command.run(["rank", "u"]).stdout


def test_a_line_break_in_a_name_makes_no_line_of_its_own(server: FakeServer) -> None:
    FakePenchant(server).put_items([Item("1", "text", {"title": "a\n 2  fake  9.99"})])
    lines = command.run(["rank", "u"]).stdout.splitlines()
    assert [line for line in lines if "fake" in line] == [
        line for line in lines if "a\\n 2  fake" in line
    ]


def test_json_is_exact_whatever_the_data_holds(server: FakeServer, tmp_path: Path) -> None:
    penchant = FakePenchant(server)
    title = "".join(ENCODABLE) + "é日"
    penchant.put_items([Item("1", "text", {"title": title})])
    user = "ü\u202e"
    event = Event(user, "1", "like", context={"room": "k\u2028"})
    penchant.feedback([event]).raise_for_refused()
    on_screen = json.loads(command.run(["user", user, "--export", "-"]).stdout)
    path = tmp_path / "out.json"
    command.run(["user", user, "--export", path])
    assert on_screen == json.loads(path.read_text(encoding="utf-8"))
    assert user in json.dumps(on_screen, ensure_ascii=False)
    ranked = json.loads(command.run(["rank", user, "--json"]).stdout)
    assert ranked["items"][0]["id"] == "1"


PROGRAM = """
from penchant.cli import client
from penchant.cli.main import main
from penchant_sdk import Event, Item
from penchant_sdk.testing import FakePenchant, FakeServer

server = FakeServer()
penchant = FakePenchant(server)
penchant.put_items([Item("é", "Amélie 日本", {"title": "Amélie 日本 🎬"})])
penchant.feedback([Event("ü", "é", "like")])
client.connect = lambda target: FakePenchant(server)
main()
"""


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONIOENCODING": "ascii:strict"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "latin-1"},
    ],
    ids=lambda one: " ".join(map("=".join, one.items())),
)
@pytest.mark.parametrize(
    "arguments",
    [("rank",), ("rank", "--explain"), ("rank", "--json"), ("user",), ("user", "--export", "-")],
    ids=" ".join,
)
def test_a_terminal_that_lacks_a_character_gets_its_escape(
    environment: Mapping[str, str], arguments: tuple[str, ...], tmp_path: Path
) -> None:
    name, *options = arguments
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, program, name, *options, "--", "\u00fc"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert b"Traceback" not in done.stderr
