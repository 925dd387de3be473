"""`penchant loop` with real steps: processes, a signal, and a second call that resumes the run."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.command import run
from tests.support.shop_log import KINDS, write_shop
from tests.support.tiny_encoders import write_encoder


def begin(file: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "penchant.cli.main", "loop", str(file), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_sigterm_leaves_a_run_that_a_second_call_finishes(tmp_path: Path) -> None:
    _, items, _, events, *_ = write_shop(tmp_path)
    (tmp_path / "source").mkdir()
    write_encoder(tmp_path / "source", ["a", "number", *KINDS], layers=1)
    file, report = tmp_path / "loop.toml", tmp_path / "report.json"
    file.write_text(
        f'runs = "{tmp_path / "runs"}"\nitems = "{items}"\nevents = "{events}"\n'
        f'[steps.finetune]\nsource = "{tmp_path / "source"}"\nsteps = 0\nhead_steps = 5\n'
        'dimensions = "8"\nsignal = "rating"\nmap = ["rating=value"]\n'
        "[steps.export]\ndimensions = 8\nmax_tokens = 32\n"
    )
    first = begin(file)
    assert first.stdout is not None
    first.stdout.readline()  # The step's command line; the loop handles signals by then.
    first.send_signal(signal.SIGTERM)
    said, _ = first.communicate(timeout=300)
    assert first.returncode == 128 + signal.SIGTERM, said
    second = begin(file, "--json", str(report))
    said, _ = second.communicate(timeout=600)
    logs = "".join(path.read_text() for path in (tmp_path / "runs").glob("*/*.log"))
    assert second.returncode == 0, said + logs
    done = json.loads(report.read_text())
    assert done["status"] == "finished"
    assert [step["exit_code"] for step in done["steps"].values()] == [0, 0]
    assert len(list((tmp_path / "runs").glob("*/state.json"))) == 1


def test_the_file_in_the_docs_fits_the_commands(tmp_path: Path) -> None:
    docs = Path(__file__).resolve().parents[3] / "docs" / "guides" / "loop.md"
    text = docs.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    file = tmp_path / "loop.toml"
    file.write_text(text.replace("/var/lib/penchant/runs", str(tmp_path / "runs")))
    result = run(["loop", str(file), "--dry-run"])
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.output.splitlines()]
    shown = [line[1] for line in lines if line[:1] == ["penchant"]]
    assert shown == ["finetune", "export", "quantize", "publish"]
