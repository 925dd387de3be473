"""The table of commands: each exists, none is loaded for the help, errors are one plain line."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from penchant.cli import main
from penchant.launch import LaunchError
from tests.support.command import run


@pytest.mark.parametrize("name", main.COMMANDS)
def test_each_command_of_the_table_has_help(name: str) -> None:
    result = run([name, "--help"])
    assert result.exit_code == 0
    assert name in result.output


def test_the_help_lists_the_commands_in_order() -> None:
    output = run(["--help"]).output
    places = [output.index(line) for _, line in main.COMMANDS.values()]
    assert places == sorted(places)


def test_the_help_loads_no_command_and_nothing_heavy() -> None:
    program = "import sys; from penchant.cli.main import run\nrun(['--help']); print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(run.stdout.split())
    assert "penchant.cli.main" in loaded
    assert {"grpc", "numpy", "lmdb", "penchant.cli.serve"} & loaded == set()


def test_an_unknown_command_is_refused() -> None:
    result = run(["nothing"])
    assert result.exit_code == 2
    assert "nothing" in result.output


def test_a_foreseen_error_is_one_message_and_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise LaunchError("port 8001 is taken")

    monkeypatch.setattr(main, "make_app", lambda chosen: fail)
    with pytest.raises(SystemExit) as exit_:
        main.main()
    assert exit_.value.code == 1
    assert capsys.readouterr().err == "penchant: port 8001 is taken\n"


def test_an_unforeseen_error_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(main, "make_app", lambda chosen: fail)
    with pytest.raises(ZeroDivisionError):
        main.main()


def test_an_error_of_the_operating_system_is_one_line_with_its_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", "/data/report.json")

    monkeypatch.setattr(main, "make_app", lambda chosen: fail)
    assert main.run(["any"]) == 1
    assert capsys.readouterr().err == "penchant: /data/report.json: Read-only file system\n"


def test_an_unknown_command_is_answered_with_the_nearest_wherever_it_is_typed(
    tmp_path: Path,
) -> None:
    """The demos can't be imported outside of the repository; a typing mistake needs none."""
    done = subprocess.run(
        [sys.executable, "-m", "penchant.cli.main", "ran"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Unknown command: ran. Did you mean rank?" in done.stderr
    assert "Traceback" not in done.stderr
