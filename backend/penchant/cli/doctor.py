"""`penchant doctor`: what is wrong here, and what to do about it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from penchant.domain.errors import PenchantError
from penchant.encoder.cuda import Cuda, find_cuda
from penchant.encoder.tensorrt_bindings import find_tensorrt, runtime_name
from penchant.launch import LaunchError, Ports, probe, tritonserver
from penchant.launch.model_parameters import HOME
from penchant.launch.ports import is_free
from penchant.launch.processes import SHARED_MEMORY

State = Literal["ok", "warn", "fail", "skip"]

DEFAULT_TARGET = "localhost:8001"
PACKAGES = ("lmdb", "onnxruntime", "tokenizers", "protobuf", "grpcio", "psutil", "pyarrow")
"""What the models and the command line import, numpy apart."""

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "bold red", "skip": "dim"}
_TIMES = 16
"""Calls to each model: enough to reach each of its processes."""
_FULL, _NEARLY_FULL = 0.98, 0.8
_SHARED_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the table."""

    name: str
    state: State
    found: str
    advice: str = ""
    """What to do, where the state is `warn` or `fail`."""


def doctor(
    target: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="The gRPC address of a server that should be up.",
            show_default=f"{DEFAULT_TARGET}, if one is up there",
        ),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            help="A store that should be there: lmdb:DIRECTORY.",
            show_default=f"lmdb:{HOME / 'store'}, if it is there",
        ),
    ] = None,
) -> None:
    """Checks this machine, the store and a server. Exits with status 1 if something is wrong."""
    console = Console()
    table = Table()
    for title in ("check", "", "found", "what to do"):
        table.add_column(title, overflow="fold")
    wrong = 0
    for check in checks(target, store):
        wrong += check.state == "fail"
        state = Text(check.state, style=_COLOURS[check.state])
        table.add_row(check.name, state, Text(check.found), Text(check.advice))
    console.print(table)
    if wrong:
        console.print(f"{wrong} {'check fails' if wrong == 1 else 'checks fail'}.")
        raise typer.Exit(1)
    console.print("All is well.")


def checks(target: str | None, store: str | None) -> Iterator[Check]:
    """All checks, each made when it is asked for."""
    yield check_python()
    yield check_packages()
    yield from check_triton()
    yield check_gpu(find_tensorrt(), find_cuda())
    yield check_shared_memory()
    yield check_store(store)
    yield from check_server(target)


def check_python() -> Check:
    """This Python."""
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", "ok", f"{version}, {sys.executable}")


def check_packages() -> Check:
    """The packages of the backend."""
    found, missing = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        text = f"missing: {', '.join(missing)}"
        return Check("packages", "fail", text, "pip install 'penchant[backend]'")
    return Check("packages", "ok", ", ".join(found))


def check_triton() -> Iterator[Check]:
    """The Triton that `penchant serve` would run, its stub's library, and numpy."""
    try:
        triton = tritonserver.find_triton()
    except LaunchError as error:
        yield _failed("Triton", error)
        return
    yield Check("Triton", "ok", f"{triton.version or 'unknown version'}, {triton.binary}")
    yield _passes("libpython", lambda: tritonserver.check_stub(triton), "Triton's stub runs")
    try:
        numpy = metadata.version("numpy")
    except metadata.PackageNotFoundError:
        numpy = ""
    yield _passes("numpy", lambda: tritonserver.check_numpy(triton), f"{numpy}, fits this Triton")


def check_gpu(trt: Any | None, cuda: Cuda | None) -> Check:
    """What would run the encoder: TensorRT's module and CUDA, None for what is not installed."""
    if cuda is None or not cuda.devices():
        return Check("GPU", "skip", "none with a driver: the encoder runs by ONNX Runtime")
    found = f"compute capability {cuda.compute_capability()}"
    if trt is None:
        advice = "pip install 'penchant[tensorrt]', then penchant compile --this-gpu"
        return Check("GPU", "warn", f"{found}, but no TensorRT", advice)
    return Check("GPU", "ok", f"{found}, {runtime_name(trt)} {trt.__version__}")


def check_shared_memory(place: Path = SHARED_MEMORY) -> Check:
    """Room for what Triton and its models hand to each other."""
    name = "shared memory"
    if not place.is_dir():
        return Check(name, "fail", f"{place} is not there", f"mount a tmpfs on {place}")
    free = shutil.disk_usage(place).free
    found = f"{free / 2**20:.0f} MiB free in {place}"
    if free < _SHARED_BYTES:
        advice = f"remove what killed servers left in {place}; in a container: --shm-size=256m"
        return Check(name, "fail", found, advice)
    return Check(name, "ok", found)


def check_store(address: str | None) -> Check:
    """How full the store is."""
    directory = HOME / "store"
    if address is None:
        if not directory.is_dir():
            return Check("store", "skip", f"none in {directory}, and --store is not given")
        address = f"lmdb:{directory}"
    engine, _, place = address.partition(":")
    if engine == "lmdb" and place and not (Path(place) / "data.mdb").is_file():
        return Check("store", "fail", f"no store in {place}", "name the server's own --store")
    from penchant.store.open import open_store  # LMDB need not be installed for the other checks.

    try:
        store = open_store(address, map_bytes=0)  # As large as its writer made it.
        try:
            usage = store.usage()
        finally:
            store.close()
    except PenchantError as error:
        advice = "see that this user may read and write it, and that the disk is not full"
        return Check("store", "fail", str(error), advice)
    found = (
        f"{usage.used_bytes / 2**20:,.1f} MiB of {usage.map_bytes / 2**20:,.0f} MiB "
        f"({usage.fraction:.1%}), {usage.entries:,} entries"
    )
    if usage.fraction > _NEARLY_FULL:
        state: State = "fail" if usage.fraction > _FULL else "warn"
        return Check("store", state, found, "restart with a larger --set store_map_bytes=BYTES")
    return Check("store", "ok", found)


def check_server(target: str | None) -> Iterator[Check]:
    """Each model's answer to its canary; where no server is up, whether the ports are free."""
    results = probe.ask(target or DEFAULT_TARGET, times=_TIMES)
    if all(result.text == probe.NOBODY for result in results):
        found = f"nothing listens on {target or DEFAULT_TARGET}"
        if target is not None:
            yield Check("server", "fail", found, "start one: penchant serve")
            return
        yield Check("server", "skip", found)
        yield from check_ports()
        return
    for result in results:
        found = f"{result.latency_ms:.1f} ms, {result.text}"
        if result.alive:
            yield Check(result.model, "ok", found)
        else:
            advice = "restart the server (dead processes stay dead); its log says why"
            yield Check(result.model, "fail", found, advice)


def check_ports(ports: Ports | None = None, host: str = "127.0.0.1") -> Iterator[Check]:
    """Whether `penchant serve` could listen on its ports."""
    for name, port in (ports or Ports()).items():
        if is_free(host, port):
            yield Check(f"{name} port", "ok", f"{port} is free")
        else:
            advice = f"stop the program that listens there, or serve with --{name}-port"
            yield Check(f"{name} port", "fail", f"{port} is taken", advice)


def _passes(name: str, check: Callable[[], None], found: str) -> Check:
    try:
        check()
    except LaunchError as error:
        return _failed(name, error)
    return Check(name, "ok", found)


def _failed(name: str, error: LaunchError) -> Check:
    """The texts of these errors say what is wrong, a semicolon, and what to do."""
    found, _, advice = str(error).partition("; ")
    return Check(name, "fail", found, advice or "see found")
