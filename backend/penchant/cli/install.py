"""`penchant install`: the backend and the models, for a Triton that already runs."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Annotated

from penchant.cli.next_steps import command_line
from penchant.launch.install import (
    ENVIRONMENT_PARAMETER,
    SERVERS_PYTHON,
    Installation,
    InstallRequest,
)
from penchant.launch.install import install as run_install
from penchant.launch.ports import DEFAULT_TARGET
from penchant.launch.triton_arguments import (
    GRPC_HEADER,
    KEY_NAME,
    closed_doors,
    forwarded_headers,
)
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT

_KEY = "ADMIN_KEY"
"""Name of the shell's variable with the key."""


def install(*, request: Annotated[InstallRequest, FLAT]) -> None:
    """Installs Penchant into a Triton that you run, and prints the flags to start it with.

    A repetition replaces what Penchant wrote; other backends and models are left alone.
    """
    installation = run_install(request)
    console = terminal()
    console.say(_report(request, installation))


def _continued(lines: Iterable[str]) -> list[str]:
    """The lines of one command, each but the last continued by a backslash."""
    every = list(lines)
    return [*(f"{line} \\" for line in every[:-1]), *every[-1:]]


def _hot_path(installation: Installation) -> str:
    """What rank and feedback will run by."""
    native = installation.native
    if native is not None:
        newer = " or newer" if native.abi == "abi3" else ""
        return (
            f"Wrote penchant_native {native.version}, for Python {native.python}{newer} on "
            f"{native.machine} with {native.libc}"
        )
    return (
        f"Without the compiled module: {installation.without_native}. The models run by NumPy, "
        "unless penchant_native is installed in their Python; --native WHEEL lays one out."
    )


def _callers(*, knows_callers: bool) -> list[str]:
    """Who may call the server."""
    if knows_callers:
        return [
            "- The two arguments about headers hand callers' tokens to the models, which refuse "
            "every call without one."
        ]
    return [
        "- Whoever reaches gRPC or HTTP may read, change and forget every user: install with "
        "--token-keys to ask callers for tokens, or keep both to this machine."
    ]


def _report(request: InstallRequest, installation: Installation) -> str:
    backends, models = installation.backend.parent, request.models.absolute()
    doors = closed_doors(f"${_KEY}")
    forwarded = forwarded_headers(installation.parameters)
    lines = [
        f"Wrote {installation.backend}",
        *(f"Wrote {model}" for model in installation.models),
        _hot_path(installation),
        "",
        "Each config.pbtxt holds these parameters, as options and settings file gave them. After a "
        "change, install again and restart Triton:",
        *(f"  {name} = {value}" for name, value in installation.parameters.items()),
        "",
        "Start Triton with",
        f"  {_KEY}=$(od -An -N16 -tx1 /dev/urandom | tr -d ' ')",
        f"  tritonserver --model-repository={shlex.quote(str(models))} \\",
        f"    --backend-directory={shlex.quote(str(backends))} \\",
        *_continued(f"    {argument}" for argument in [*doors, *forwarded]),
        "",
        "Before you do:",
    ]
    if not installation.has_python_backend:
        lines.append(
            f"- {backends} has no python/ yet. Copy Triton's own there (in NVIDIA's containers "
            "/opt/tritonserver/backends/python), as files: Triton refuses links to the outside."
        )
    where = f"{request.python.absolute()}" if request.python else SERVERS_PYTHON
    lines += [
        f"- The models run in {where}. It needs: pip install 'penchant[backend]'",
        "- Its Python must be the version that Triton's Python backend is built for (3.12 in new "
        "containers).",
        "- numpy there: 1.26.4 for Triton before 2.52 (container 24.11), whose models crash with "
        "numpy 2; any version after that.",
    ]
    if request.python is None:
        lines.append(
            "- For another environment, install again with --python, which sets the parameter "
            f"{ENVIRONMENT_PARAMETER} of each model."
        )
    lines += [
        "- Start it in an empty directory: Python modules in the working directory hide ours.",
        "- The arguments with the key close protocols that no client of Penchant needs; tools that "
        f"load models or read statistics send the key: {GRPC_HEADER} (gRPC), {KEY_NAME} (HTTP).",
        "- Keep HTTP and metrics to this machine if nobody else needs them: "
        "--http-address=127.0.0.1 --metrics-address=127.0.0.1",
        *_callers(knows_callers=bool(forwarded)),
        "- Set OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1: each model is a process of its own.",
        "- In a container: --shm-size=256m or more.",
        "- Nothing refreshes a store beside a Triton of your own. Run this where the store is, for "
        "example as a sidecar of Triton's container; it ends and fails by itself alone:",
        f"    {command_line('refresh', '--every', '5m', '--store', request.store)}",
        f"Then, on the machine of Triton: `{command_line('doctor', '--target', DEFAULT_TARGET)}`",
    ]
    if not request.encoder.is_dir():
        lines.append(f"{request.encoder} is not here; it must be where Triton runs.")
    return "\n".join(lines)
