"""Checks this machine, a store and a server: what is wrong, and how to repair it."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from penchant.catalog.damage_note import noted_damage
from penchant.domain.errors import PenchantError, StateCorrupt
from penchant.encoder.cuda import Cuda, find_cuda
from penchant.encoder.tensorrt_bindings import find_tensorrt, runtime_name
from penchant.launch import probe, processes, shared_memory, tritonserver
from penchant.launch.certificate_check import check_certificates
from penchant.launch.check import Check, CheckState
from penchant.launch.errors import LaunchError
from penchant.launch.exposure import DoorsToTry, try_doors
from penchant.launch.model_parameters import DEFAULT_STORE, HOME, is_store, state_directory
from penchant.launch.move_check import check_move
from penchant.launch.native_wheel import DISTRIBUTION
from penchant.launch.ports import DEFAULT_TARGET, Ports, is_free
from penchant.launch.server_history import ServerHistory
from penchant.launch.shown_token import NO_TOKEN, ShownToken
from penchant.launch.store_promise import durability_of
from penchant.launch.tls import NO_TLS, ChannelAccess, TlsFiles
from penchant.launch.unanswered import is_unanswered, why_unanswered
from penchant.launch.vital_signs import FAULT_KINDS
from penchant.service.mended_catalog import find_damage
from penchant.store.accepted_events import read_accepted
from penchant.store.address import directory_of, is_network
from penchant.store.items import read_head
from penchant.store.refresh_note import read_refresh_note
from penchant.system.native_module import (
    COST_OF_NUMPY,
    NATIVE_VARIABLE,
    NativeChoice,
    native_choice,
)
from penchant.system.option_types import FLAT, STORE_IN_USE, TARGET_IN_USE, Flag, shows
from penchant.system.redacted_address import redacted
from penchant_proto.local_targets import is_local

PACKAGES = ("lmdb", "onnxruntime", "tokenizers", "protobuf", "grpcio", "psutil", "pyarrow")
"""The packages that the models and the command line import, other than numpy."""

_TIMES = 16
"""Probes per model, enough to reach each of its processes."""
_FULL, _NEARLY_FULL = 0.98, 0.8
_INSTANCES = 6
"""Model instances of a server as `penchant serve` starts it by default."""
_RECENT = timedelta(days=1)
_STALE_S = 7200.0
"""Twice the longest time after which a clock refreshes for a single new event."""
_MANY_EVENTS = 1000
"""Events without any refresh that a clock would not have left alone."""


@dataclass(frozen=True, slots=True)
class DiagnosisRequest:
    """The store and the server to check."""

    target: Annotated[
        str | None,
        TARGET_IN_USE,
        Parameter(metavar="HOST:PORT", show_default=shows(f"{DEFAULT_TARGET}, if it is up")),
    ] = None
    """gRPC address of a server that should be up."""
    store: Annotated[
        str | None,
        STORE_IN_USE,
        Parameter(show_default=shows(f"lmdb:{HOME / 'store'}, if it exists")),
    ] = None
    """Store that should exist: lmdb:DIRECTORY or valkey://…/NAMESPACE."""
    tls: Annotated[TlsFiles, FLAT] = NO_TLS
    """Certificates for a server that speaks TLS."""
    security: Flag = False
    """Look from outside at what a running server is open to, instead. Exit status 2: to other
    machines, 1: to other users of this one, or it can't be told."""
    http_port: Annotated[int, Parameter(validator=Number(gte=1, lte=65535))] = Ports().http
    """With --security: port where HTTP may answer."""
    metrics_port: Annotated[int, Parameter(validator=Number(gte=1, lte=65535))] = Ports().metrics
    """With --security: port where the metrics may answer."""
    token: Annotated[ShownToken, FLAT] = NO_TOKEN
    """The token for a server that asks for one."""


def diagnose(request: DiagnosisRequest) -> Iterator[Check]:
    """Runs all checks, each when its result is asked for."""
    if request.security:
        yield from try_doors(_doors_to_try(request))
        return
    yield check_python()
    yield check_packages()
    yield from check_triton()
    yield check_hot_path()
    yield check_gpu(find_tensorrt(), find_cuda())
    yield check_shared_memory()
    yield check_store(request.store)
    yield from check_durability(request.store)
    yield from check_move(request.store)
    yield from check_store_use(request.store)
    yield from check_refresh(request.store)
    yield from check_server(request.target, request.tls, request.token)
    yield from check_certificates(request.target or DEFAULT_TARGET, request.tls)
    yield from check_restarts(request.target or DEFAULT_TARGET)


def _doors_to_try(request: DiagnosisRequest) -> DoorsToTry:
    target = request.target or DEFAULT_TARGET
    place = state_directory(request.store or DEFAULT_STORE)
    port = target.rpartition(":")[2]
    files = request.tls.named()
    keys = {path.parent for path in (files.tls_key,) if path is not None}
    places = [] if place is None else [place]
    if is_local(target):
        places += [HOME / f"serve-{port}"]
    else:
        places = []  # The server's own are elsewhere.
    return DoorsToTry(
        target, request.tls, request.http_port, request.metrics_port, (*places, *keys)
    )


def check_python() -> Check:
    """Reports this Python."""
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", "ok", f"{version}, {sys.executable}")


def check_packages() -> Check:
    """Checks that the packages of the backend are installed."""
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
    """Checks the Triton that `penchant serve` would run, its stub and numpy."""
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


def check_hot_path(choice: NativeChoice | None = None) -> Check:
    """Says what rank and feedback run by in this environment, and what that costs.

    Args:
        choice: the implementation; None: the one that a model's process would choose here.
    """
    runs, reason = choice or native_choice()
    if runs:
        return Check("hot path", "ok", f"{reason} {metadata.version(DISTRIBUTION)}")
    found = f"{reason}; {COST_OF_NUMPY}"
    if NATIVE_VARIABLE in reason:
        return Check("hot path", "skip", found)
    advice = "in a checkout: make native; else install its wheel where the models run, and restart"
    return Check("hot path", "warn", found, advice)


def check_gpu(trt: Any | None, cuda: Cuda | None) -> Check:
    """Checks for TensorRT on a machine with a GPU.

    Args:
        trt: TensorRT's module; None if it is not installed.
        cuda: the CUDA runtime; None if it is not installed.
    """
    if cuda is None or not cuda.devices():
        return Check("GPU", "skip", "none with a driver: ONNX Runtime runs the encoder")
    found = f"compute capability {cuda.compute_capability()}"
    if trt is None:
        advice = "pip install 'penchant[tensorrt]', then build an engine: `penchant compile --help`"
        return Check("GPU", "warn", f"{found}, but no TensorRT", advice)
    return Check("GPU", "ok", f"{found}, {runtime_name(trt)} {trt.__version__}")


def check_shared_memory(place: Path = shared_memory.PLACE) -> Check:
    """Checks the shared memory through which Triton and its models exchange tensors."""
    name = "shared memory"
    try:
        found = f"{shared_memory.free_bytes(place) >> 20} MiB free in {place}"
        warning = shared_memory.check_room(_INSTANCES, place)
    except LaunchError as error:
        return _failed(name, error)
    if warning:
        found, _, advice = warning.partition("; ")
        return Check(name, "warn", found, advice)
    return Check(name, "ok", found)


def check_store(address: str | None) -> Check:
    """Checks how full the store is."""
    directory = HOME / "store"
    if address is None:
        if not directory.is_dir():
            return Check("store", "skip", f"none in {directory}, and --store is not given")
        address = f"lmdb:{directory}"
    from penchant.store.open import open_store  # The other checks need no LMDB.

    place = directory_of(address)
    try:
        if place is not None and not is_store(place):
            return Check("store", "fail", f"no store in {place}", "name the server's own --store")
        store = open_store(address, map_bytes=0)  # As large as its writer made it.
        try:
            usage = store.usage()
        finally:
            store.close()
    except PenchantError as error:
        advice = "check that this user may read and write it, and that the disk is not full"
        if is_network(address):
            advice = "check that its servers run, and that this machine may reach them"
        return Check("store", "fail", str(error), advice)
    if is_network(address):
        size = f"{usage.used_bytes / 2**20:,.1f} MiB in use at {redacted(address)}"
        return Check("store", "ok", f"{size}, {usage.entries:,} entries")
    found = (
        f"{usage.used_bytes / 2**20:,.1f} MiB of {usage.map_bytes / 2**20:,.0f} MiB "
        f"({usage.fraction:.1%}), {usage.entries:,} entries"
    )
    if usage.fraction > _NEARLY_FULL:
        state: CheckState = "fail" if usage.fraction > _FULL else "warn"
        return Check("store", state, found, "restart with a larger --set store_map_bytes=BYTES")
    return Check("store", "ok", found)


def check_durability(address: str | None) -> Iterator[Check]:
    """Says what an acknowledged commit to a store in Valkey survives; nothing of one in LMDB."""
    if address is None or not is_network(address):
        return
    try:
        promise, logged = durability_of(address)
    except PenchantError:
        return  # Which the check of the store says.
    advice = "set appendonly yes in the servers of the store, and appendfsync always or everysec"
    yield Check("durability", "ok" if logged else "warn", promise, "" if logged else advice)


def check_store_use(address: str | None) -> Iterator[Check]:
    """Reports which server writes to an LMDB store, and whether its catalog's files are whole.

    Of a store in Valkey, the files are those of this machine's server.
    """
    whole = address or DEFAULT_STORE
    place, name = state_directory(whole), "catalog"
    from penchant.store.open import open_store
    from penchant.store.server_claim import claiming_servers

    try:
        if place is None or not (is_network(whole) or is_store(place)):
            return
        if not is_network(whole):
            holders = ", ".join(map(str, claiming_servers(place)))
            state: CheckState = "ok" if holders else "skip"
            yield Check("store's server", state, holders or "none writes to it")
        store = open_store(whole, map_bytes=0)
        try:
            with store.snapshot() as snapshot:
                head = read_head(snapshot)
        finally:
            store.close()
    except StateCorrupt as error:
        advice = "restart the server, which makes it again, or run penchant rebuild records"
        yield Check(name, "fail", str(error), advice)
        return
    except (PenchantError, OSError) as error:
        yield Check(name, "fail", str(error), "restore a backup, or read the server's log")
        return
    items = f"{head.alive:,} items, version {head.version}"
    if not (place / "catalog").is_dir():  # As a backup leaves them out.
        yield Check(name, "skip", f"{items}; its files are written at a server's start")
        return
    damage = find_damage(place / "catalog", head)
    mended = noted_damage(place / "catalog", _RECENT)
    if damage:
        advice = (
            "one that runs writes them again within seconds; else restart the server, which does so"
        )
        yield Check(name, "fail", "; ".join(damage.values()), advice)
    elif head.lost:
        found = f"its {head.lost} were damaged, and rankings do without"
        yield Check(name, "warn", found, "penchant refresh --store ...")
    elif mended:
        last = mended[-1]
        found = (
            f"{len(mended)} damaged parts were written again in the last 24 hours; the last at "
            f"{last.at:%Y-%m-%d %H:%M:%S} UTC: {last.text}"
        )
        yield Check(name, "warn", found, "look for the cause: another program, or a failing disk")
    else:
        yield Check(name, "ok", items)


def check_refresh(address: str | None, now_s: float | None = None) -> Iterator[Check]:
    """Reports when the store was last refreshed, what is new since, and what failed.

    Args:
        address: of the store; None: the one in `HOME`, if it exists.
        now_s: the time now, in epoch seconds; None: the machine's.
    """
    whole = address or DEFAULT_STORE
    from penchant.store.open import open_store

    name = "refresh"
    try:
        if not is_network(whole) and not is_store(directory_of(whole)):
            return
        store = open_store(whole, map_bytes=0)
        try:
            with store.snapshot() as snapshot:
                note, accepted = read_refresh_note(snapshot), read_accepted(snapshot)
        finally:
            store.close()
    except PenchantError as error:
        yield Check(name, "fail", str(error), "restore a backup, or read the server's log")
        return
    new = max(0, accepted - note.accepted)
    age_s = (time.time() if now_s is None else now_s) - note.at_s
    found = f"never; {new:,} events since"
    if note.at_s:
        found = (
            f"{age_text(age_s)} ago, in {note.took_s:.1f} s from {note.events:,} events; "
            f"{new:,} new since"
        )
        if note.learnt:
            yield Check("weights", "ok", note.learnt)
    if note.failures:
        times = "once" if note.failures == 1 else f"{note.failures:,} times"
        advice = "repair what it names; the clock tries again by itself"
        yield Check(name, "warn", f"{found}; failed {times} since: {note.error}", advice)
    elif new >= (1 if note.at_s else _MANY_EVENTS) and age_s > _STALE_S:
        advice = (
            "no clock seems to run: `penchant serve` runs one unless it is started with "
            "--refresh-every never; beside another Triton run "
            f"`penchant refresh --every 5m --store {shlex.quote(redacted(whole))}`"
        )
        yield Check(name, "warn", found, advice)
    else:
        yield Check(name, "ok", found)


def age_text(seconds: float) -> str:
    """An age in words.

    >>> age_text(59), age_text(3599), age_text(90_000), age_text(400_000)
    ('59 s', '59 min', '25 h', '4 days')
    """
    for unit, size, least in (("days", 86400.0, 2.0), ("h", 3600.0, 1.0), ("min", 60.0, 1.0)):
        if seconds >= least * size:
            return f"{int(seconds / size)} {unit}"
    return f"{int(max(0.0, seconds))} s"


def check_server(
    target: str | None, tls: TlsFiles = NO_TLS, shown: ShownToken = NO_TOKEN
) -> Iterator[Check]:
    """Probes each model; if no server is up, checks that its ports are free."""
    read_token = shown.reader()
    access = ChannelAccess(tls.credentials(), token=read_token() if read_token else "")
    results = probe.ask(target or DEFAULT_TARGET, times=_TIMES, access=access)
    if is_unanswered(results):
        listening = why_unanswered(target or DEFAULT_TARGET, tls)
        if listening is not None:
            yield listening
            return
        found = f"nothing listens on {target or DEFAULT_TARGET}"
        if target is not None:
            yield Check("server", "fail", found, "start one: penchant serve")
            return
        yield Check("server", "skip", found)
        yield from check_ports()
        return
    for result in results:
        found = f"{result.latency_ms:.1f} ms, {result.text}"
        if result.alive and result.text.startswith("[Unauthenticated]"):
            advice = "show a token: --token-file FILE, such as the server's own `health-token`"
            yield Check(
                result.model, "warn", f"{found}; it answers, but is not known to work", advice
            )
        elif result.alive:
            yield Check(result.model, "ok", found)
        else:
            advice = (
                "`penchant serve` restarts it by itself; restart another Triton, in which dead "
                "processes stay dead; its log says why"
            )
            yield Check(result.model, "fail", found, advice)


def check_ports(ports: Ports | None = None, host: str = "127.0.0.1") -> Iterator[Check]:
    """Checks that `penchant serve` could listen on its ports."""
    for name, port in (ports or Ports()).items():
        if is_free(host, port):
            yield Check(f"{name} port", "ok", f"{port} is free")
        else:
            advice = f"stop the program that listens there, or serve with --{name}-port"
            found = f"{port} is taken by {processes.listener(port)}"
            yield Check(f"{name} port", "fail", found, advice)


def check_restarts(target: str, home: Path = HOME) -> Iterator[Check]:
    """Reports how often `penchant serve` had to start a server of this machine again lately."""
    port = target.rpartition(":")[2]
    history = ServerHistory(home / f"serve-{port}")
    if not is_local(target) or not history.path.is_file():
        return
    since = datetime.now(UTC) - _RECENT
    faults = [entry for entry in history.entries() if entry.kind in FAULT_KINDS]
    late = [entry for entry in faults if entry.at > since]
    if not late:
        yield Check("restarts", "ok", "none in the last 24 hours")
        return
    last = late[-1]
    found = (
        f"{len(late)} in the last 24 hours; the last at {last.at:%Y-%m-%d %H:%M:%S} UTC: "
        f"{last.text.partition(' | ')[0]}"
    )
    yield Check("restarts", "warn", found, f"read {history.path} and the triton.log beside it")


def _passes(name: str, check: Callable[[], None], found: str) -> Check:
    try:
        check()
    except LaunchError as error:
        return _failed(name, error)
    return Check(name, "ok", found)


def _failed(name: str, error: LaunchError) -> Check:
    """The text of these errors is the problem, a semicolon and the remedy."""
    found, _, advice = str(error).partition("; ")
    return Check(name, "fail", found, advice or "see found")
