"""The GPU kit, rehearsed: a Python with a PyTorch machine's packages alone, and no network."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.gpu_kit.__main__ import KitRequest, pack
from benchmarks.gpu_kit.components import COMPONENTS, PRESENT
from benchmarks.gpu_kit.install_kit import install

if TYPE_CHECKING:
    from penchant.training.export import ExportReport

ROOT = Path(__file__).resolve().parents[3]
THIS = f"{sys.version_info.major}.{sys.version_info.minor}"
OF_THE_IMAGE = {*PRESENT, "packaging", "safetensors", "flatbuffers", "typing-extensions", "pytest"}
OFFLINE = ["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$@"', "sh"]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a machine that has the packages of `PRESENT`, linked, and no others."""
    place = tmp_path_factory.mktemp("machine")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    site = place / "lib" / f"python{THIS}" / "site-packages"
    for name in OF_THE_IMAGE:
        try:
            files = metadata.distribution(name).files or []
        except metadata.PackageNotFoundError:
            continue
        tops = {file.parts[0] for file in files} - {"..", "__pycache__"}
        for top in tops:
            real = Path(str(metadata.distribution(name).locate_file(top)))
            if real.exists() and not (site / top).exists():
                (site / top).symlink_to(real)
    return place / "bin" / "python3"


def offline(*command: str | Path) -> str:
    """What a command prints that reaches no network: in a namespace of its own where allowed."""
    can = shutil.which("unshare") and os.geteuid() == 0
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    dead = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    done = subprocess.run(
        [*(OFFLINE if can else ()), *map(str, command)],
        cwd=ROOT,
        env=environment | dead | {"no_proxy": "127.0.0.1,localhost"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.server
@pytest.mark.timeout(1800)
def test_a_machine_without_a_network_runs_all_but_the_gpu(
    machine: Path, minilm_report: ExportReport, tmp_path: Path
) -> None:
    loads = pack(KitRequest(tmp_path / "kit", THIS, load_mib=60, effort=0))
    assert all(sum(f.stat().st_size for f in one.iterdir()) < 61 << 20 for one in loads)
    to = tmp_path / "to"
    for load in reversed(loads):
        said = offline(machine, load / "install.py", "--to", to)
    assert said.count(": complete") == 4
    given: list[str | Path] = [
        "--quick",
        "--encoder",
        minilm_report.directory,
        "--work",
        tmp_path / "work",
    ]
    parts = ["--part", "card", "--part", "engines", "--part", "vectors"]
    said = offline(machine, "-m", "benchmarks.gpu", *given, *parts, "--output", tmp_path / "out")
    assert "tensorrt-rtx 1." in said
    assert "engines: skipped, there is no GPU with a driver" in said
    capability = "from penchant.training.compilation.compile import *; from pathlib import Path\n"
    built = f"print(compile_encoder(CompileRequest(Path({str(tmp_path / 'copy')!r}), 'fp32')).path)"
    shutil.copytree(minilm_report.directory, tmp_path / "copy")
    assert "tensorrt-rtx-sm89-fp32.engine" in offline(machine, "-c", capability + built)
    own = to / "venv-triton" / "bin" / "python3"
    said = offline(own, "-m", "benchmarks.gpu", *given, "--part", "server", "--output", tmp_path)
    assert "| onnxruntime | " in said


def test_a_damaged_piece_is_refused_and_a_missing_one_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(root: Path, python: str) -> None:
        """Instead of packages of this Python, which the whole kit above holds."""
        (root / "site" / "cyclopts").mkdir(parents=True)
        (root / "site" / "cyclopts" / "__init__.py").touch()
        (root / "site" / "noise").write_bytes(random.Random(1).randbytes(3 << 20))

    monkeypatch.setitem(COMPONENTS, "packages", fill)
    loads = pack(KitRequest(tmp_path / "kit", THIS, 2, effort=0, components=("packages",)))
    assert len(loads) > 1
    for load in loads[1:]:
        assert install(load, tmp_path / "to") == {"packages": False}
    piece = loads[0] / "packages.01"
    whole = piece.read_bytes()
    piece.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ValueError, match=r"got SHA-256 .*copy it again"):
        install(loads[0], tmp_path / "to")
    piece.write_bytes(whole)
    assert install(loads[0], tmp_path / "to") == {"packages": True}
    assert (tmp_path / "to/site/cyclopts/__init__.py").exists()
    assert install(loads[1], tmp_path / "to") == {"packages": True}


def test_what_is_no_kit_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(FileExistsError, match="holds something else than a kit"):
        pack(KitRequest(tmp_path, components=()))
