"""Installs Penchant into a Triton that somebody else runs: the backend and the models."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from penchant.encoder.bundle import check_encoder
from penchant.launch import layout
from penchant.launch.errors import LaunchError
from penchant.launch.model_parameters import gather
from penchant.launch.model_python import python_of_models
from penchant.launch.native_wheel import NativeModule, installed_module, read_wheel
from penchant.launch.token_options import NO_TOKENS, TokenOptions
from penchant.store.address import is_sealed
from penchant.system.option_types import ENCODER_IN_USE, FLAT, STORE_IN_USE, Flag, Pairs, shows
from penchant.system.os_error_reason import reason_of

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
    store: Annotated[str, STORE_IN_USE]
    """Store of the users, as the server sees it: lmdb:DIRECTORY."""
    encoder: Annotated[Path, ENCODER_IN_USE]
    """Directory of the encoder, as the server sees it."""
    python: Annotated[Path | None, Parameter(show_default=shows(SERVERS_PYTHON))] = None
    """Virtual environment (or conda-pack archive) for the models, as the server sees it."""
    native: Annotated[
        Path | None, Parameter(show_default=shows("the module installed here, where it fits"))
    ] = None
    """Wheel of the compiled module, penchant-native, for the Python of this Triton."""
    tokens: Annotated[TokenOptions, FLAT] = NO_TOKENS
    """Who may call; the file of keys as the server sees it."""
    rank_instances: Annotated[int, Parameter(validator=Number(gte=1))] = 2
    """Number of processes that rank."""
    settings: Annotated[Pairs, Parameter(name="--set")] = ()
    """A setting of the models; repeatable."""
    create: Flag = False
    """Make --backends and --models if they do not exist."""


@dataclass(frozen=True, slots=True)
class Installation:
    """The folders that were written."""

    backend: Path
    """Penchant's folder in the backend directory."""
    models: tuple[Path, ...]
    """The folder of each model in the model repository."""
    has_python_backend: bool
    """Whether the backend directory contains Triton's Python backend."""
    parameters: Mapping[str, str]
    """The parameters that each model was given, by name."""
    native: NativeModule | None
    """The compiled module that lies beside the backend; None: none does."""
    without_native: str
    """Why none does; empty if one does."""


def install(request: InstallRequest) -> Installation:
    """Writes the backend and the models; a repetition replaces them and nothing else.

    Raises:
        LaunchError: a path that the models cannot open; a folder that does not exist, cannot be
            written, or holds somebody else's backend or model under a name of ours; or a wheel of
            the compiled module that is not for this Triton's Python.
        ConfigError: an unknown store, an unknown setting, a value outside its range, or a directory
            that is here and is no encoder.
    """
    backends, models = request.backends.absolute(), request.models.absolute()
    settings = (*request.settings, *request.tokens.settings())
    parameters = gather(request.store, request.encoder, settings)
    if is_sealed(parameters["store"]):
        raise LaunchError(
            "store: got an address with a password, which would stand in the models' files; name a "
            "file or a variable that the server of these models reads: ?password_file=/path or "
            "?password_env=NAME"
        )
    if request.python is not None:
        parameters[ENVIRONMENT_PARAMETER] = str(request.python.absolute())
        layout.check_plain("python", request.python.absolute())
    layout.check_plain("backends", backends)
    layout.check_plain("models", models)
    if backends == models:
        raise LaunchError("models: got the backend directory, expected a directory of its own")
    if request.encoder.exists():  # It may be elsewhere: in the container of the server.
        check_encoder(request.encoder)
    for name, place in (("backends", backends), ("models", models)):
        if os.path.lexists(place) and not place.is_dir():
            raise LaunchError(f"{name}: {place} is no directory; name that of your Triton")
        if not place.is_dir() and not request.create:
            raise LaunchError(
                f"{name}: {place} is not a directory; name that of your Triton, or make it "
                "with --create"
            )
    native, without_native = _native_for(backends, request)
    sources = layout.find_sources()
    layout.check_backend(backends, sources)
    layout.check_models(models, sources)  # Before the backend is written.
    folder = layout.write_backend(backends, sources, native=native)
    instances = {"penchant_rank": request.rank_instances}
    names = layout.write_models(models, sources, parameters, instances)
    has_python_backend = (backends / "python").is_dir()
    written = tuple(models / name for name in names)
    return Installation(folder, written, has_python_backend, parameters, native, without_native)


def _native_for(backends: Path, request: InstallRequest) -> tuple[NativeModule | None, str]:
    """The compiled module to lay out, or why none.

    A named wheel that does not fit is refused; what happens to be installed here is left out then.
    """
    named = None if request.native is None else read_wheel(request.native)
    module = named or installed_module()
    if module is None:
        return None, "penchant_native is not installed here"
    try:
        python = python_of_models(backends, request.python)
    except OSError as error:
        raise LaunchError(f"backends: cannot be read: {reason_of(error)}") from error
    misfit = module.misfit(python, metadata.version("penchant"))
    if named is not None and misfit:
        raise LaunchError(
            f"native: got {named.source.name}, which does not fit: {misfit}; build one there: "
            "pip wheel --no-deps ./native"
        )
    if named is None and not python.version:
        misfit = "the Python of its models is not known from here"
    return (None, misfit) if misfit else (module, "")
