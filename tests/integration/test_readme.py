"""What the README shows, run as a reader would."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from penchant.launch import Server
from tests.architecture.source_tree import ROOT

pytestmark = pytest.mark.server

README = (ROOT / "README.md").read_text()
PENCHANT = str(Path(sys.executable).with_name("penchant"))


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def commands(program: str) -> list[list[str]]:
    """The arguments of each line that starts a program."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    split = [shlex.split(line, comments=True) for line in lines]
    return [words[1:] for words in split if words[:1] == [program]]


def run(arguments: list[str], directory: Path) -> str:
    result = subprocess.run(
        [PENCHANT, *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
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
            process.communicate(timeout=60)


def test_the_sdk_in_ten_lines(server: Server) -> None:
    (code,) = blocks("python")
    assert '"localhost:8001"' in code
    names: dict[str, object] = {}
    exec(code.replace("localhost:8001", server.target), names)
    again = names["again"]
    assert again.items[0].explanation is not None  # type: ignore[attr-defined]


def test_the_make_commands_are_targets_of_the_makefile() -> None:
    targets = [arguments[0] for arguments in commands("make")]
    assert targets == ["demo", "test", "demo-ads", "demo-games", "demo-home", "demo-release"]
    for target in targets:
        subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True)


def test_a_server_of_your_own(tmp_path: Path) -> None:
    export, serve, import_items, rank, doctor, evaluate = commands("penchant")
    films = {"id": ["1", "2"], "text": ["Heat (1995). Crime", "Toy Story (1995). Animation"]}
    pq.write_table(pa.table(films), tmp_path / import_items[-1])
    likes = {
        "user": [f"u{number % 5}" for number in range(40)],
        "item": [str(1 + number % 2) for number in range(40)],
        "signal": ["like"] * 40,
        "occurred_at": [1_600_000_000 + 60 * number for number in range(40)],
    }
    pq.write_table(pa.table(likes), tmp_path / evaluate[evaluate.index("--events") + 1])
    run(export, tmp_path)
    with serving(serve, tmp_path) as target:
        assert "2" in run([*import_items, "--target", target], tmp_path)
        ranking = run([*rank, "--target", target], tmp_path)
        assert "Toy Story (1995)" in ranking
        assert "penchant_rank" in run([*doctor, "--target", target], tmp_path)
    assert "recall@10" in run([*evaluate, "--candidates", "all"], tmp_path)


def test_the_command_that_installs_into_a_running_triton(tmp_path: Path) -> None:
    (line,) = re.findall(r"`penchant (install .*?)`", README)
    arguments = shlex.split(line)
    places = {"--backends": tmp_path / "b", "--models": tmp_path / "m", "--encoder": tmp_path}
    for option, place in places.items():
        arguments[arguments.index(option) + 1] = str(place)
    printed = run(arguments, tmp_path)
    assert "--model-repository" in printed
    assert (tmp_path / "b" / "penchant" / "model.py").is_file()
    assert (tmp_path / "m" / "penchant_rank" / "config.pbtxt").is_file()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_what_it_links_to_is_there(path: str) -> None:
    assert (ROOT / path).exists()
