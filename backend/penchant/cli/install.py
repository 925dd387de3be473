"""`penchant install`: the backend and the models, for a Triton that already runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from penchant.launch import LaunchError
from penchant.launch.layout import check_path, find_sources, write_backend, write_models
from penchant.launch.model_parameters import gather

ENVIRONMENT_PARAMETER = "EXECUTION_ENV_PATH"
"""The parameter by which Triton's Python backend finds a model's Python environment."""


def install(
    backends: Annotated[
        Path, typer.Option(help="Triton's backend directory, which holds python/ already.")
    ],
    models: Annotated[Path, typer.Option(help="The model repository.")],
    store: Annotated[
        str, typer.Option(help="Where users live: lmdb:DIRECTORY, as the server sees it.")
    ],
    encoder: Annotated[Path, typer.Option(help="The encoder's directory, as the server sees it.")],
    python: Annotated[
        Path | None,
        typer.Option(
            help="A virtual environment (or a conda-pack archive) for the models, as the server "
            "sees it.",
            show_default="the python3 that is first on the server's PATH",
        ),
    ] = None,
    rank_instances: Annotated[int, typer.Option(min=1, help="Processes that rank.")] = 2,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the models; repeatable."),
    ] = None,
) -> None:
    """Lays Penchant out for a Triton that you run, and prints the flags to start it with.

    Doing it again replaces what Penchant wrote; other backends and models are left alone.
    """
    console = Console(soft_wrap=True, highlight=False, markup=False)
    backends, models = backends.absolute(), models.absolute()
    parameters = gather(store, encoder, settings or ())
    if python is not None:
        parameters[ENVIRONMENT_PARAMETER] = str(python.absolute())
        check_path("python", python)
    check_path("backends", backends)
    check_path("models", models)
    if backends == models:
        raise LaunchError("models: got the backend directory, expected a directory of its own")
    sources = find_sources()
    folder = write_backend(backends, sources)
    names = write_models(models, sources, parameters, {"penchant_rank": rank_instances})
    console.print(_report(folder, models, names, python))


def _report(folder: Path, models: Path, names: list[str], python: Path | None) -> str:
    backends = folder.parent
    lines = [
        f"Wrote {folder}",
        *(f"Wrote {models / name}" for name in names),
        "",
        "Start Triton with",
        f"  tritonserver --model-repository={models} \\",
        f"    --backend-directory={backends} \\",
        "    --disable-auto-complete-config",
        "",
        "and with this in mind:",
    ]
    if not (backends / "python").is_dir():
        lines.append(
            f"- {backends} has no python/ yet. Copy Triton's own there (in NVIDIA's containers "
            "/opt/tritonserver/backends/python), as files: Triton refuses links that lead out."
        )
    where = f"{python.absolute()}" if python else "the python3 that is first on the server's PATH"
    lines += [
        f"- The models run in {where}. It needs: pip install 'penchant[backend]'",
        "- Its Python must be the version that Triton's Python backend is built for (3.12 in new "
        "containers).",
        "- numpy there: 1.26.4 for Triton before 2.52 (container 24.11), whose models die with "
        "numpy 2; any version after that.",
    ]
    if python is None:
        lines.append(
            f"- Another environment: install again with --python ENV, which sets the parameter "
            f"{ENVIRONMENT_PARAMETER} of each model."
        )
    lines += [
        "- Start it in an empty directory: Python modules in the working directory hide ours.",
        "- Set OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1: each model is a process of its own.",
        "- In a container: --shm-size=256m or more.",
        "Then: penchant doctor --target HOST:8001",
    ]
    return "\n".join(lines)
