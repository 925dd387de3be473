"""README, start page and the guide to a running Triton, run as a reader would run them."""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from penchant.launch import Server
from penchant.training.export import ExportReport, ExportRequest
from tests.architecture.source_tree import ROOT
from tests.support import command
from tests.support.handwritten import blocks, shell_lines
from tests.support.released import write_words

pytestmark = pytest.mark.server

README = ROOT / "README.md"
START = ROOT / "docs" / "start.md"
INTEGRATE = ROOT / "docs" / "guides" / "integrate.md"
PENCHANT = str(Path(sys.executable).with_name("penchant"))


def commands(page: Path, program: str = "penchant") -> list[list[str]]:
    """The arguments of each line that starts a program."""
    return [words[1:] for words in shell_lines(page) if words[0] == program]


def run(arguments: list[str], directory: Path) -> str:
    result = subprocess.run(
        [PENCHANT, *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@contextmanager
def serving(arguments: list[str], directory: Path) -> Iterator[str]:
    """`penchant serve`, on free ports; gives its gRPC address."""
    ports = ["--grpc-port=0", "--http-port=0", "--metrics-port=0"]
    with subprocess.Popen(
        [PENCHANT, *arguments, *ports], cwd=directory, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.split()[:1] == ["gRPC"]:
                    yield line.split()[1]
                    break
            else:
                pytest.fail("it did not come up")
        finally:
            process.terminate()
            process.communicate(timeout=180)


def patient(code: str, target: str) -> str:
    """A page's code on a server of the tests, which a busy machine may keep from answering."""
    assert code.count('"localhost:8001"') == 1
    return code.replace('"localhost:8001"', f'"{target}", timeout_s=60.0')


def test_the_sdk_in_ten_lines(server: Server) -> None:
    (code,) = blocks(README, "python")
    names: dict[str, object] = {}
    exec(patient(code, server.target), names)
    again = names["again"]
    assert again.items[0].explanation is not None  # type: ignore[attr-defined]


def test_the_make_commands_are_targets_of_the_makefile() -> None:
    targets = [arguments[0] for arguments in commands(README, "make")]
    assert targets == ["demo", "test", "setup"]
    named = re.findall(r"`make ([a-z-]+)`", README.read_text())
    assert {"demo-ads", "demo-games", "demo-home", "demo-release"} <= set(named)
    for target in [*targets, *named]:
        subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True)


def export_by(
    arguments: list[str], made: ExportReport, directory: Path, patch: pytest.MonkeyPatch
) -> None:
    """Runs `penchant export`, which asks for what this run of the tests has exported: it is copied.

    To export it again takes half a minute.
    """

    def copy(request: ExportRequest, on_stage: object) -> ExportReport:
        assert request == ExportRequest(output=Path(".penchant/encoder"))
        shutil.copytree(made.directory, request.output)
        return dataclasses.replace(made, directory=request.output)

    patch.chdir(directory)
    patch.setattr("penchant.cli.export.export_encoder", copy)
    exported = command.run(arguments)
    assert exported.exit_code == 0, exported.output


def test_the_start_page_from_the_first_command_to_the_last(
    minilm_report: ExportReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = START.read_text()
    for name, rows in re.findall(r'```csv title="(.+?)"\n(.*?)```', text, re.DOTALL):
        (tmp_path / name).write_text(rows)
    export, serve, *clients = commands(START)
    assert [export, serve] == commands(README)
    kinds = ["import", "import", "rank", "feedback", "rank", "doctor", "user"]
    assert [words[0] for words in clients] == kinds
    export_by(export, minilm_report, tmp_path, monkeypatch)
    with serving(serve, tmp_path) as target:
        printed = [run([*words, "--target", target], tmp_path) for words in clients]
        (code,) = blocks(START, "python")
        exec(patient(code, target), {})
        assert "forgotten" in run(
            ["user", "ann", "--forget", "--yes", "--target", target], tmp_path
        )
    items, events, before, _, after, doctor, user = printed
    assert "8" in items
    assert "6" in events
    assert "Toy Story (1995)" in before  # A reason.
    assert "fargo" not in before.split("because")[0]
    assert "Fargo (1996)" in after
    assert "penchant_rank" in doctor
    assert "3 events accepted" in user


def test_the_evaluation_that_the_start_page_names(encoder: Path, tmp_path: Path) -> None:
    (line,) = re.findall(r"`penchant (evaluate .*?)`", START.read_text())
    arguments = shlex.split(line)
    films = {"id": ["1", "2"], "text": ["Heat (1995). Crime", "Toy Story (1995). Animation"]}
    likes = {
        "user": [f"u{number % 5}" for number in range(40)],
        "item": [str(1 + number % 2) for number in range(40)],
        "signal": ["like"] * 40,
        "occurred_at": [1_600_000_000 + 60 * number for number in range(40)],
    }
    for option, rows in (("--items", films), ("--events", likes)):
        place = arguments.index(option) + 1
        arguments[place] = arguments[place].replace(".csv", ".parquet")
        pq.write_table(pa.table(rows), tmp_path / arguments[place])
    printed = run([*arguments, "--encoder", str(encoder), "--candidates", "all"], tmp_path)
    assert "recall@10" in printed


def test_the_command_that_installs_into_a_running_triton(tmp_path: Path) -> None:
    (arguments,) = (words for words in commands(INTEGRATE) if {"install", "--models"} <= {*words})
    encoder = tmp_path / "encoder"
    write_words(encoder, "words")
    places = {"--backends": tmp_path / "b", "--models": tmp_path / "m", "--encoder": encoder}
    for option, place in places.items():
        place.mkdir(exist_ok=True)
        arguments[arguments.index(option) + 1] = str(place)
    printed = run(arguments, tmp_path)
    assert "--model-repository" in printed
    assert (tmp_path / "b" / "penchant" / "model.py").is_file()
    assert (tmp_path / "m" / "penchant_rank" / "config.pbtxt").is_file()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README.read_text()))))
def test_what_it_links_to_is_there(path: str) -> None:
    assert (ROOT / path).exists()
