"""Writes the backend directory and the model repository that Triton reads."""

from __future__ import annotations

import compileall
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from penchant.launch.errors import LaunchError
from penchant.launch.model_config import backend_of, configure, parse_config
from penchant.launch.model_python import STUB
from penchant.launch.native_wheel import NativeModule, write_module
from penchant.launch.tritonserver import Triton
from penchant.system.durable_file import write_whole
from penchant.system.os_error_reason import reason_of
from penchant_proto import methods

BACKEND = "penchant"
"""The backend's name in each `config.pbtxt`, and the name of its folder."""

_PLAIN = re.compile(r"[A-Za-z0-9_./+,@%:=-]*")
_PACKAGE = Path(__file__).resolve().parents[1]
_SKIPPED = shutil.ignore_patterns("__pycache__", "*.pyc", "_triton")
# Python writes a compiled module under such a name first, and moves it.
_UNFINISHED = shutil.ignore_patterns("*.pyc.*", "_triton")
_SERVING = (
    "catalog",
    "domain",
    "encoder",
    "report",
    "server",
    "service",
    "store",
    "system",
    "wire",
)
"""The parts of the package that models import."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The files that are copied or used as templates."""

    model: Path
    """`model.py`, the entry point of Triton's Python backend."""
    repository: Path
    """One folder per model, each with a `config.pbtxt`."""
    packages: tuple[Path, ...]
    """Packages that `model.py` imports, copied beside it."""


def find_sources() -> Sources:
    """The sources in this wheel or checkout.

    Raises:
        LaunchError: the installation is incomplete.
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
        f"this installation of penchant is incomplete: expected {wheel}, or {checkout.model} and "
        f"{checkout.repository}; install it again"
    )


def find_packages() -> tuple[Path, ...]:
    """The packages that `model.py` imports."""
    return _PACKAGE, Path(methods.__file__).resolve().parent


def write_backend(
    backends: Path,
    sources: Sources,
    *,
    compiled: bool = False,
    native: NativeModule | None = None,
) -> Path:
    """Writes Penchant's backend folder, for a Triton that already has a Python backend.

    Writing it again replaces the folder; other backends are left alone.

    Args:
        backends: Triton's backend directory; created if missing.
        sources: the files to copy.
        compiled: also compile what the models import (0.3 s, where it is not compiled yet), which
            each of their processes would else do by itself. For a Triton with this Python.
        native: the compiled module to lay beside; None: none, and the models import the one that
            is installed where they run, if any.

    Returns:
        The folder, `<backends>/penchant`.

    Raises:
        LaunchError: the folder cannot be written, or one of that name belongs to another backend.
    """
    check_backend(backends, sources)
    folder = backends / BACKEND
    fresh, old = backends / f".{BACKEND}.new", backends / f".{BACKEND}.old"
    try:
        for place in (fresh, old):
            shutil.rmtree(place, ignore_errors=True)
        fresh.mkdir(parents=True)
        shutil.copy2(sources.model, fresh / "model.py")
        for package in sources.packages:
            ignored = _UNFINISHED if compiled else _SKIPPED
            shutil.copytree(package, fresh / package.name, ignore=ignored)
        if native is not None:
            write_module(native, fresh)
        if compiled:
            _compile(fresh)
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise LaunchError(f"{folder}: cannot be written: {reason_of(error)}") from error
    return folder


def check_backend(backends: Path, sources: Sources) -> None:
    """Refuses a backend directory in which another backend has the name of Penchant's.

    Every release's has `model.py` and a package that it imports beside it; a backend in Python that
    somebody else wrote has `model.py` as well.

    Raises:
        LaunchError: it has, or cannot be read.
    """
    folder = backends / BACKEND
    try:
        packages = [(folder / package.name).is_dir() for package in sources.packages]
        ours = (folder / "model.py").is_file() and any(packages)
        if not ours and _holds_files(folder):
            raise LaunchError(
                f"backends: {folder} exists and is not Penchant's; move it away, or name another "
                "directory"
            )
    except OSError as error:
        raise LaunchError(f"backends: {folder} cannot be read: {reason_of(error)}") from error


def check_models(models: Path, sources: Sources) -> None:
    """Refuses a model repository in which somebody else's model has the name of one of Penchant's.

    Every release's models name its backend; what an installation that was cut short has left holds
    no file yet.

    Raises:
        LaunchError: the text names the first such folder; or one cannot be read.
    """
    for template in sorted(sources.repository.glob("*/config.pbtxt")):
        folder = models / template.parent.name
        config = folder / template.name
        try:
            if config.is_file():
                ours = backend_of(config.read_text(encoding="utf-8", errors="replace")) == BACKEND
            else:
                ours = not _holds_files(folder)
        except OSError as error:
            raise LaunchError(f"models: {folder} cannot be read: {reason_of(error)}") from error
        if not ours:
            raise LaunchError(
                f"models: {folder} exists and is not Penchant's; move it away, or name another "
                "model repository"
            )


def _holds_files(path: Path) -> bool:
    """Whether a path is a file, or a directory with one somewhere below; raises OSError.

    Names with a dot do not count: a file that was being written has one.
    """
    if not path.is_dir():
        return path.exists() or path.is_symlink()
    return any(_holds_files(one) for one in path.iterdir() if not one.name.startswith("."))


def _compile(folder: Path) -> None:
    """Compiles the modules that have not been; one that can't be is left to who imports it."""
    compileall.compile_dir(folder, maxlevels=1, quiet=2)
    for part in _SERVING:
        compileall.compile_dir(folder / "penchant" / part, quiet=2)
    compileall.compile_dir(folder / "penchant_proto", quiet=2)


def write_python_backend(backends: Path, triton: Triton) -> Path:
    """Writes Triton's Python backend beside Penchant's, with the stub for this Python.

    Files are copied, since Triton refuses a library that is a link to outside the directory.

    Returns:
        The folder, `<backends>/python`.

    Raises:
        LaunchError: the folder cannot be written.
    """
    folder = backends / "python"
    try:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(triton.python_backend, folder, ignore=_SKIPPED)
        shutil.copy2(triton.stub, folder / STUB)
    except OSError as error:
        raise LaunchError(f"{folder}: cannot be written: {reason_of(error)}") from error
    return folder


def write_models(
    models: Path,
    sources: Sources,
    settings: Mapping[str, str],
    instances: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """Writes the model repository; other models in it are left alone.

    Args:
        models: the model repository; created if missing.
        sources: the templates.
        settings: parameters of every model, which override those of the templates.
        instances: processes per model, by the model's name; default: as in the template.

    Returns:
        Instances by model, in the order of the names.

    Raises:
        LaunchError: a template cannot be read or edited, a file cannot be written, or a folder of
            one of these names holds somebody else's model; nothing was written then.
    """
    check_models(models, sources)
    counts = dict(instances or {})
    written: dict[str, int] = {}
    try:
        for template in sorted(sources.repository.glob("*/config.pbtxt")):
            name = template.parent.name
            config = template.read_text(encoding="utf-8")
            (models / name / "1").mkdir(parents=True, exist_ok=True)
            text = configure(config, settings, counts.pop(name, None))
            write_whole(models / name / "config.pbtxt", text)
            written[name] = sum(group.count or 1 for group in parse_config(text).instance_group)
    except OSError as error:
        raise LaunchError(f"{models}: cannot be written: {reason_of(error)}") from error
    if not written:
        raise LaunchError(f"{sources.repository}: no models, expected */config.pbtxt")
    if counts:
        raise LaunchError(f"instances: no model is named {', '.join(sorted(counts))}")
    return written


def check_path(name: str, path: Path | str) -> None:
    """Refuses a path that a model cannot open: the Python of Triton's stub handles ASCII only.

    Args:
        name: name of the setting or option, for the error.
        path: a path that a model reads or writes.

    Raises:
        LaunchError: the path is not ASCII.

    >>> check_path("store", "/data/my films")
    """
    if not str(path).isascii():
        raise LaunchError(
            f"{name}: got {str(path)!r}, expected ASCII only: Triton's Python processes "
            "cannot open other paths; move it, or make a link to it with an ASCII name"
        )


def is_plain(path: Path | str) -> bool:
    """Whether Triton can start a model process from a path: it gives the path to bash as it is.

    >>> [is_plain(path) for path in ("/srv/penchant-1", "/srv/my films", "/srv/a#b", "/srv/é")]
    [True, False, False, False]
    """
    return _PLAIN.fullmatch(str(path)) is not None


def check_plain(name: str, path: Path | str) -> None:
    """Refuses a directory from which Triton cannot start a model process.

    Args:
        name: name of the setting or option, for the error.
        path: a directory of backends, models or a Python environment.

    Raises:
        LaunchError: a character in the path has a meaning for bash.
    """
    if not is_plain(path):
        raise LaunchError(
            f"{name}: got {str(path)!r}, expected letters, digits and _ - + . , @ % : = / only: "
            "Triton gives this path to bash as it is; move the directory, or make a link to it "
            "with a plain name"
        )
