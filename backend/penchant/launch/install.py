"""Installs Penchant into a Triton that somebody else runs: the backend and the models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from penchant.launch import layout
from penchant.launch.errors import LaunchError
from penchant.launch.model_parameters import gather
from penchant.system.option_types import Pairs, shows

ENVIRONMENT_PARAMETER = "EXECUTION_ENV_PATH"
"""The parameter by which Triton's Python backend finds a model's Python environment."""

SERVERS_PYTHON = "the first python3 on the server's PATH"


@dataclass(frozen=True, slots=True)
class InstallRequest:
    """The places to write to, and the settings of the models."""

    backends: Path
    """Backend directory of Triton, which already contains python/."""
    models: Path
    """Model repository of Triton."""
    store: str
    """Store of the users, as the server sees it: lmdb:DIRECTORY."""
    encoder: Path
    """Directory of the encoder, as the server sees it."""
    python: Annotated[Path | None, Parameter(show_default=shows(SERVERS_PYTHON))] = None
    """Virtual environment (or conda-pack archive) for the models, as the server sees it."""
    rank_instances: Annotated[int, Parameter(validator=Number(gte=1))] = 2
    """Number of processes that rank."""
    settings: Annotated[Pairs, Parameter(name="--set")] = ()
    """A setting of the models; repeatable."""


@dataclass(frozen=True, slots=True)
class Installation:
    """The folders that were written."""

    backend: Path
    """Penchant's folder in the backend directory."""
    models: tuple[Path, ...]
    """The folder of each model in the model repository."""
    has_python_backend: bool
    """Whether the backend directory contains Triton's Python backend."""


def install(request: InstallRequest) -> Installation:
    """Writes the backend and the models; a repetition replaces them and nothing else.

    Raises:
        LaunchError: a path that the models cannot open, or a folder that cannot be written.
        ConfigError: an unknown setting, or a value outside its range.
    """
    backends, models = request.backends.absolute(), request.models.absolute()
    parameters = gather(request.store, request.encoder, request.settings)
    if request.python is not None:
        parameters[ENVIRONMENT_PARAMETER] = str(request.python.absolute())
        layout.check_plain("python", request.python.absolute())
    layout.check_plain("backends", backends)
    layout.check_plain("models", models)
    if backends == models:
        raise LaunchError("models: got the backend directory, expected a directory of its own")
    sources = layout.find_sources()
    folder = layout.write_backend(backends, sources)
    instances = {"penchant_rank": request.rank_instances}
    names = layout.write_models(models, sources, parameters, instances)
    has_python_backend = (backends / "python").is_dir()
    return Installation(folder, tuple(models / name for name in names), has_python_backend)
