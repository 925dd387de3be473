"""The files written for Triton; writing them again is safe."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from penchant.launch import layout
from penchant.launch.errors import LaunchError
from penchant.launch.model_config import parse_config
from penchant.launch.model_python import STUB
from penchant.launch.tritonserver import Triton
from tests.unit.launch.standin import write_sources


def tree(directory: Path) -> dict[str, bytes]:
    """Every file below a directory with its contents."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def test_the_backend_is_model_py_and_its_packages(tmp_path: Path) -> None:
    folder = layout.write_backend(tmp_path / "backends", write_sources(tmp_path))
    files = tree(folder)
    assert {"model.py", "penchant_proto/__init__.py", "penchant_proto/methods.py"} <= set(files)
    assert not [name for name in files if "__pycache__" in name]


LOADED_BY_A_MODEL = """
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if isinstance(finder, type)]
sys.path.insert(0, sys.argv[1])
import penchant.server.triton.adapter
for name, module in sorted(sys.modules.items()):
    print(name, getattr(module, "__cached__", None))
"""


def test_a_model_finds_its_modules_compiled_and_loads_no_engine(tmp_path: Path) -> None:
    """Six processes start at once: what each of them compiles or loads delays all."""
    folder = layout.write_backend(tmp_path / "backends", layout.find_sources(), compiled=True)
    command = [sys.executable, "-B", "-c", LOADED_BY_A_MODEL, str(folder)]
    lines = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True
    ).stdout.splitlines()
    compiled = dict(line.split(maxsplit=1) for line in lines)
    mine = {name: path for name, path in compiled.items() if name.startswith("penchant")}
    assert len(mine) > 100
    assert [name for name, path in mine.items() if not path.startswith(str(folder))] == []
    assert [name for name, path in mine.items() if not Path(path).is_file()] == []
    assert {"onnxruntime", "tokenizers", "pyarrow"} & compiled.keys() == set()


def test_writing_the_backend_again_drops_what_is_old_and_nothing_of_others(tmp_path: Path) -> None:
    sources, backends = write_sources(tmp_path), tmp_path / "backends"
    (backends / "python").mkdir(parents=True)
    (backends / "python" / "keep").touch()
    first = tree(layout.write_backend(backends, sources))
    (backends / "penchant" / "stale.py").touch()
    assert tree(layout.write_backend(backends, sources)) == first
    assert sorted(path.name for path in backends.iterdir()) == ["penchant", "python"]
    assert (backends / "python" / "keep").exists()


def test_a_folder_that_is_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "backends" / "penchant" / "libtriton_penchant.so"
    other.parent.mkdir(parents=True)
    other.touch()
    with pytest.raises(LaunchError, match="not Penchant's"):
        layout.write_backend(tmp_path / "backends", write_sources(tmp_path))
    assert other.exists()


def test_another_backend_in_python_of_the_same_name_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "backends" / "penchant" / "model.py"
    other.parent.mkdir(parents=True)
    other.write_text("somebody's")
    with pytest.raises(LaunchError, match="not Penchant's"):
        layout.write_backend(tmp_path / "backends", write_sources(tmp_path))
    assert other.read_text() == "somebody's"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("config.pbtxt", 'name: "penchant_rank" backend: "python"'),
        ("config.pbtxt", 'name: "penchant_rank" platform: "ensemble" ensemble_scheduling {}'),
        ("config.pbtxt", "not a configuration"),
        ("1/model.onnx", "a model whose configuration Triton completes"),
        ("", "a file in place of a folder"),
    ],
)
def test_a_model_that_is_somebody_elses_is_refused_by_name_and_nothing_is_written(
    tmp_path: Path, file: str, text: str
) -> None:
    sources, models = write_sources(tmp_path), tmp_path / "models"
    other = models / "penchant_rank" / file
    other.parent.mkdir(parents=True)
    other.write_text(text)
    before = tree(models)
    with pytest.raises(LaunchError, match=r"models: .*/penchant_rank exists and is not Penchant's"):
        layout.write_models(models, sources, {})
    assert tree(models) == before


def test_a_model_of_an_earlier_release_is_replaced(tmp_path: Path) -> None:
    """Also where somebody has added to it what Penchant's own configurations never hold."""
    sources, models = write_sources(tmp_path), tmp_path / "models"
    ours = models / "penchant_rank" / "config.pbtxt"
    ours.parent.mkdir(parents=True)
    ours.write_text('backend: "penchant" optimization { priority: PRIORITY_MAX }')
    cut_short = models / "penchant_users"
    (cut_short / "1").mkdir(parents=True)
    (cut_short / ".config.pbtxt.77.partial").write_text('backend: "pen')
    layout.write_models(models, sources, {"store": "memory:"})
    assert "priority" not in ours.read_text()
    assert parse_config(ours.read_text()).parameters["store"].string_value == "memory:"


def test_each_model_has_its_settings_and_an_empty_version(tmp_path: Path) -> None:
    sources, models = write_sources(tmp_path), tmp_path / "models"
    (models / "another" / "1").mkdir(parents=True)
    for _ in range(2):
        names = layout.write_models(models, sources, {"store": "memory:"}, {"penchant_rank": 3})
    assert list(names) == [
        "penchant_catalog",
        "penchant_encoder",
        "penchant_feedback",
        "penchant_rank",
        "penchant_users",
    ]
    for name in names:
        config = parse_config((models / name / "config.pbtxt").read_text())
        assert {key: value.string_value for key, value in config.parameters.items()} == {
            "store": "memory:"
        }
        (group,) = config.instance_group
        assert group.count == (3 if name == "penchant_rank" else 1)
        assert list((models / name / "1").iterdir()) == []
    assert (models / "another" / "1").is_dir()


def test_instances_of_an_unknown_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="no model is named rank"):
        layout.write_models(tmp_path / "models", write_sources(tmp_path), {}, {"rank": 3})


def test_the_python_backend_is_copied_with_the_stub_for_this_python(tmp_path: Path) -> None:
    backend = tmp_path / "triton" / "python"
    backend.mkdir(parents=True)
    (backend / "libtriton_python.so").write_bytes(b"library")
    stub = tmp_path / "stub"
    stub.write_bytes(b"stub")
    triton = Triton(tmp_path, backend, stub, (), "")
    folder = layout.write_python_backend(tmp_path / "backends", triton)
    assert tree(folder) == {"libtriton_python.so": b"library", STUB: b"stub"}
    assert not any(path.is_symlink() for path in folder.iterdir())


def test_a_path_that_a_stub_cannot_open_is_refused() -> None:
    with pytest.raises(LaunchError, match=r"store: got .*ASCII"):
        layout.check_path("store", "/données")
