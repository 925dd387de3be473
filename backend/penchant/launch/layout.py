"""Lays out what Triton reads: the backend directory and the model repository."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from penchant.launch import pbtxt
from penchant.launch.errors import LaunchError
from penchant.launch.tritonserver import STUB, Triton
from penchant_proto import methods

BACKEND = "penchant"
"""The backend's name in each `config.pbtxt`, and of its folder."""

_PACKAGE = Path(__file__).resolve().parents[1]
_SKIPPED = shutil.ignore_patterns("__pycache__", "*.pyc", "_triton")


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the parts come from."""

    model: Path
    """`model.py`: the class that Triton's Python backend runs."""
    repository: Path
    """One folder a model, each with its `config.pbtxt`."""
    packages: tuple[Path, ...]
    """Packages that `model.py` imports, copied beside it."""


def find_sources() -> Sources:
    """The parts in this wheel or checkout.

    Raises:
        LaunchError: neither has them.
    """
    packages = find_packages()
    wheel = _PACKAGE / "_triton"
    if wheel.is_dir():
        return Sources(wheel / "model.py", wheel / "model_repository", packages)
    checkout = Sources(
        _PACKAGE.parent / "model.py", _PACKAGE.parents[1] / "model_repository", packages
    )
    if checkout.model.is_file() and checkout.repository.is_dir():
        return checkout
    raise LaunchError(
        f"this installation of penchant is not whole: expected {wheel}, or {checkout.model} and "
        f"{checkout.repository}; install it again"
    )


def find_packages() -> tuple[Path, ...]:
    """The packages that our `model.py` imports."""
    return _PACKAGE, Path(methods.__file__).resolve().parent


def write_backend(backends: Path, sources: Sources) -> Path:
    """Writes our backend's folder, for a Triton that has a Python backend already.

    Writing it again replaces it; the rest of the directory is left alone.

    Args:
        backends: Triton's backend directory; made where absent.
        sources: where the parts come from.

    Returns:
        The folder, `<backends>/penchant`.

    Raises:
        LaunchError: it can't be written, or a folder of that name is somebody else's.
    """
    folder = backends / BACKEND
    if folder.exists() and any(folder.iterdir()) and not (folder / "model.py").is_file():
        raise LaunchError(f"{folder} is there already and is not Penchant's; move it away")
    fresh, old = backends / f".{BACKEND}.new", backends / f".{BACKEND}.old"
    try:
        for place in (fresh, old):
            shutil.rmtree(place, ignore_errors=True)
        fresh.mkdir(parents=True)
        shutil.copy2(sources.model, fresh / "model.py")
        for package in sources.packages:
            shutil.copytree(package, fresh / package.name, ignore=_SKIPPED)
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise LaunchError(f"{folder}: can't be written: {error}") from error
    return folder


def write_python_backend(backends: Path, triton: Triton) -> Path:
    """Writes Triton's own Python backend beside ours, with the stub for this Python.

    The files are copies: Triton refuses a library that a link leads out of the directory.

    Returns:
        The folder, `<backends>/python`.

    Raises:
        LaunchError: it can't be written.
    """
    folder = backends / "python"
    try:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(triton.python_backend, folder, ignore=_SKIPPED)
        shutil.copy2(triton.stub, folder / STUB)
    except OSError as error:
        raise LaunchError(f"{folder}: can't be written: {error}") from error
    return folder


def write_models(
    models: Path,
    sources: Sources,
    settings: Mapping[str, str],
    instances: Mapping[str, int] | None = None,
) -> list[str]:
    """Writes the model repository; other models in it are left alone.

    Args:
        models: the model repository; made where absent.
        sources: where the templates come from.
        settings: parameters for every model; one that a template has already is replaced.
        instances: processes of a model, by its name; default: the template's number.

    Returns:
        The models' names, in order.

    Raises:
        LaunchError: a template can't be read or edited, or a file can't be written.
    """
    counts = dict(instances or {})
    names = []
    try:
        for template in sorted(sources.repository.glob("*/config.pbtxt")):
            name = template.parent.name
            text = pbtxt.set_parameters(template.read_text(encoding="utf-8"), settings)
            if name in counts:
                text = pbtxt.set_instances(text, counts.pop(name))
            (models / name / "1").mkdir(parents=True, exist_ok=True)
            _replace(models / name / "config.pbtxt", text)
            names.append(name)
    except OSError as error:
        raise LaunchError(f"{models}: can't be written: {error}") from error
    if not names:
        raise LaunchError(f"{sources.repository}: no model in it, expected */config.pbtxt")
    if counts:
        raise LaunchError(f"instances: no model is named {', '.join(sorted(counts))}")
    return names


def check_path(name: str, path: Path | str) -> None:
    """Refuses a path that a model could not open: the stub's Python knows ASCII paths alone.

    Args:
        name: what the path is, for the text of the error.
        path: any path that a model reads or writes.

    Raises:
        LaunchError: the path holds another letter.

    >>> check_path("store", "/data/films")
    """
    if not str(path).isascii():
        raise LaunchError(
            f"{name}: got {str(path)!r}, expected ASCII letters only: Triton's Python processes "
            "can't open other paths"
        )


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
