"""The commands of days 0 to 2 of the page on operations, run as written, in their order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.test_readme import run, serving
from tests.support.handwritten import ROOT
from tests.support.serve_process import FILMS
from tests.support.word_encoder import write_word_encoder

pytestmark = pytest.mark.server

PAGE = ROOT / "docs" / "operations.md"
TARGET = "localhost:8001"


def command_lines() -> Iterator[list[str]]:
    """The lines of the shell blocks of the three days."""
    days = re.findall(r"^## Day \d:.*?(?=^## (?!Day))", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    for block in re.findall(r"^```sh\n(.*?)^```", "".join(days), re.DOTALL | re.MULTILINE):
        yield from (line.split() for line in block.splitlines())


def test_every_command_of_the_three_days_works_as_written(tmp_path: Path) -> None:
    write_word_encoder(tmp_path / "encoder", [film.text for film in FILMS], dimensions=8, seed=1)
    rows = "".join(f"{film.id},{film.text}\n" for film in FILMS)
    (tmp_path / "items.csv").write_text(f"id,text\n{rows}")
    address, ran = "", []
    with ExitStack() as servers:
        for program, *words in command_lines():
            if program == "cp":
                assert words == ["-a", "backup/monday", "restored"]
                servers.close()  # The restored store is served without the first one's server.
                (tmp_path / "backup" / "monday").rename(tmp_path / "restored")
            elif words[0] == "serve":
                found = servers.enter_context(serving([*words, "--refresh-every=never"], tmp_path))
                address = f"localhost:{found.rpartition(':')[2]}"
            else:
                assert program == "penchant"
                ports = ["--http-port=1", "--metrics-port=1"] if "--security" in words else []
                given = [address if word == TARGET else word for word in words]
                ran.append((words[0], run([*given, *ports], tmp_path)))
        restored = ["--target", address, "--tls", "certs/app"]
        assert FILMS[0].text in run(["rank", "somebody", *restored], tmp_path)
    kinds = [kind for kind, _ in ran]
    assert kinds == ["certs", "probe", "doctor", "doctor", "import", "rank", "backup", "doctor"]
    printed = [text for _, text in ran]
    assert printed[1].count(" ok ") == 5
    assert "Nothing is open." in printed[3]
    assert FILMS[0].text in printed[5]
    assert "3 items" in printed[7], "the backup was read"
