"""Runs one Triton: starts it, waits until each model answers, stops it and cleans up."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from penchant.launch import (
    layout,
    probe,
    processes,
    server_log,
    shared_memory,
    triton_arguments,
    triton_log,
)
from penchant.launch.errors import LaunchError, TritonAborted
from penchant.launch.model_python import STUB
from penchant.launch.ports import FREE, LOOPBACK, Hosts, Ports, choose, local_address
from penchant.launch.server_lock import ServerLock
from penchant.launch.tls import PLAIN, ChannelAccess, ServerTls
from penchant.launch.tritonserver import (
    Triton,
    check_numpy,
    check_stub,
    environment_for,
    find_triton,
)
from penchant.server.identity.server_secret import server_secret
from penchant.server.triton.traces import ENDPOINT
from penchant.store.address import directory_of
from penchant.system import tied_process

TOKEN_NAME = "health-token"
"""Name of the file with the token of health checks."""

ATTEMPTS = 3
"""Starts of a server in a `with` block, where Triton itself aborts: a busy machine may see it."""

_POLL_S = 0.1
_EXIT_TIMEOUT_S = 10
_STOP_TIMEOUT_S = 20.0


class Server:
    """A Triton with Penchant's models, in its own process group. It ends with this process.

        with Server(directory, {"store": "lmdb:/data/store", "encoder": "/data/encoder"}) as server:
            ...  # server.target is the gRPC address

    After `kill` or `stop`, the object can be started again; it keeps its ports.
    """

    def __init__(
        self,
        directory: Path,
        settings: Mapping[str, str],
        *,
        hosts: Hosts = LOOPBACK,
        ports: Ports = FREE,
        instances: Mapping[str, int] | None = None,
        tls: ServerTls | None = None,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        start_timeout_s: float = 120.0,
        triton: Triton | None = None,
        sources: layout.Sources | None = None,
    ) -> None:
        """Describes a server; nothing is started yet.

        Args:
            directory: receives the backend directory, the model repository and the logs; created if
                missing. One server at a time may use it.
            settings: parameters of every model; see `penchant.config.Config`.
            hosts: the addresses to listen on.
            ports: 0 selects a free port, at the first start.
            instances: processes per model, by the model's name; default: as in the template.
            tls: certificate of the gRPC endpoint; None: no encryption.
            arguments: further arguments for tritonserver, passed on unchanged.
            environment: further environment variables for the server and its models.
            start_timeout_s: time limit of `start`, in seconds.
            triton: default: as `find_triton` finds it.
            sources: default: those of this installation.
        """
        self._directory = directory.resolve()
        self._settings = dict(settings)
        self._hosts = hosts
        self._wanted = ports
        self._ports: Ports | None = None
        self._instances = dict(instances or {})
        self._tls = tls
        self._arguments = list(arguments)
        self._environment = dict(environment or {})
        self._start_timeout_s = start_timeout_s
        self._triton = triton
        self._sources = sources
        self._key = secrets.token_hex(16)
        self._lock = ServerLock(self._directory)
        self._process: subprocess.Popen[bytes] | None = None
        self._regions: shared_memory.Regions | None = None
        self._scratch: Path | None = None
        self._layout: dict[str, int] = {}
        """Instances by model, as their files were written at the last start that went well."""
        self._was_up = False
        self.access: ChannelAccess = PLAIN
        """How a probe on this machine reaches the server."""
        self.models: list[str] = []
        """Names of the models that answer the probe."""
        self.remarks: list[str] = []
        """What the last start had to clean up, and what it warns of."""

    def __enter__(self) -> Self:
        self.start(attempts=ATTEMPTS)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def ports(self) -> Ports:
        """The ports; after the first start, without zeros."""
        return self._ports or self._wanted

    @property
    def target(self) -> str:
        """The gRPC address for clients on this machine, `host:port`."""
        return local_address(self._hosts.grpc, self.ports.grpc)

    @property
    def http_url(self) -> str:
        """The HTTP address for clients on this machine."""
        return f"http://{local_address(self._hosts.http, self.ports.http)}"

    @property
    def metrics_url(self) -> str:
        """The address of the metrics for Prometheus on this machine."""
        return f"http://{local_address(self._hosts.metrics, self.ports.metrics)}/metrics"

    @property
    def directory(self) -> Path:
        """Where the logs are, with links resolved."""
        return self._directory

    @property
    def log_path(self) -> Path:
        """The log of Triton and of the models; each start begins a new one and keeps the old."""
        return self._directory / triton_log.NAME

    @property
    def key_path(self) -> Path:
        """The file with the key to the protocols that are closed to clients."""
        return self._directory / triton_arguments.KEY_NAME

    @property
    def token_path(self) -> Path:
        """The file with a token for health checks, of a server that asks for tokens."""
        return self._directory / TOKEN_NAME

    @property
    def pid(self) -> int | None:
        """The id of Triton's process, and of its group; None if it is not running."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def returncode(self) -> int | None:
        """Exit status of the last process, negative for a signal; None while it runs, or before."""
        return self._process.poll() if self._process else None

    def pids(self) -> dict[str, int]:
        """The process ids of living model instances, by name (`penchant_rank_0_1`)."""
        return processes.stubs(self.pid) if self.pid else {}

    def start(self, environment: Mapping[str, str] | None = None, *, attempts: int = 1) -> None:
        """Starts Triton and waits until each model answers a request of the probe.

        Args:
            environment: more environment variables, for this start alone.
            attempts: how often Triton is started where it aborts, at least 1.

        Raises:
            TritonAborted: Triton crashed at each start, or lost a race for a free port; nothing is
                wrong with what it was asked to serve.
            LaunchError: something is missing, a port is taken, a model cannot be loaded, or the
                time limit has passed. In both cases, nothing is left running.
        """
        for _ in range(attempts - 1):
            with contextlib.suppress(TritonAborted):
                return self._start(environment or {})
        return self._start(environment or {})

    def _start(self, environment: Mapping[str, str]) -> None:
        if self.pid:
            raise LaunchError(f"the server is already running, as process {self.pid}")
        triton = self._check()
        self.remarks = self._lock.acquire()
        try:
            stale = shared_memory.remove_stale()
            if stale:
                self.remarks.append(f"removed {len(stale)} shared-memory regions of killed servers")
            self._ports = choose(self.ports, self._hosts)
            files = self._place_of_files()
            layout_ = self._laid_out(files) or self._lay_out(triton, files)
            warning = shared_memory.check_room(sum(layout_.values()))
            if warning:
                self.remarks.append(warning)
            self.models = [model for model in probe.calls() if model in layout_]
            self._regions = shared_memory.Regions()
            self._launch(triton, files, self._regions.prefix, environment)
            self._wait()
            self._regions.close_to_others()
        except OSError as error:
            self._layout = {}
            self.kill()
            raise LaunchError(f"a file of the server can't be written or read: {error}") from error
        except BaseException:
            self._layout = {}  # What is wrong may be in the files: they are written anew.
            self.kill()
            raise

    def stop(self) -> None:
        """Stops a running server; its models may finish, for up to 20 seconds."""
        process = self._process
        if process is None:
            return
        try:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)  # To the server alone, which ends its stubs.
                process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            pass  # Killed below.
        finally:
            self.kill()

    def kill(self) -> None:
        """Kills the whole process group, and removes its shared memory and scratch files."""
        if self._process is not None:
            processes.kill_group(self._process.pid)
            self._process.wait()
        if self._regions is not None:
            self._regions.remove()
            self._regions = None
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None
        self._lock.release()

    def log_tail(self) -> list[str]:
        """The lines of the log that best explain a failure."""
        return server_log.failure(self._log())

    def death(self) -> str:
        """Why the server ended by itself: its status, and its last words in its log."""
        words = "".join(f"\n  {line}" for line in server_log.last_words(self._log()))
        return f"Triton ended by itself ({_ended(self.returncode or 0)}){words}"

    def was_told_to_end(self) -> bool:
        """Whether somebody else has sent Triton a signal that makes it shut down."""
        return server_log.is_shutting_down(self._log())

    def _check(self) -> Triton:
        """Finds Triton, at the first start; checks it, the paths and the certificate."""
        if self._triton is None:
            self._triton = find_triton()
        if not self.models:
            check_numpy(self._triton)
            check_stub(self._triton)
            layout.check_path("directory", self._directory)
        if self._tls is not None:
            self.access = self._tls.probe_access()
        if self._settings.get("token_keys"):
            place = directory_of(self._settings["store"]) or Path(self._settings["state_dir"])
            self.access = replace(self.access, token=server_secret(place))
        return self._triton

    def _place_of_files(self) -> Path:
        """The directory itself, or another one if Triton could not start a process from it."""
        if layout.is_plain(self._directory):
            return self._directory
        place = tempfile.gettempdir()
        self._scratch = Path(
            tempfile.mkdtemp(prefix="penchant-", dir=place if layout.is_plain(place) else "/tmp")
        )
        return self._scratch

    def _laid_out(self, files: Path) -> dict[str, int]:
        """What this server wrote at its last start; empty if that failed, or some of it is gone.

        So a server whose disk is full can be started again.
        """
        kept = [files / "backends" / name for name in ("penchant/model.py", f"python/{STUB}")]
        kept += [files / "models" / model / "config.pbtxt" for model in self._layout]
        return self._layout if all(path.is_file() for path in kept) else {}

    def _lay_out(self, triton: Triton, files: Path) -> dict[str, int]:
        """Writes what Triton reads; returns the number of instances by model."""
        sources = self._sources or layout.find_sources()
        backends, models = files / "backends", files / "models"
        layout.write_backend(backends, sources, compiled=True)
        layout.write_python_backend(backends, triton)
        shutil.rmtree(models, ignore_errors=True)
        counts = layout.write_models(models, sources, self._settings, self._instances)
        # Python looks for modules in the working directory first, so it must be empty.
        empty = files / "empty"
        shutil.rmtree(empty, ignore_errors=True)
        empty.mkdir()
        self._layout = counts
        return counts

    def _launch(
        self, triton: Triton, files: Path, region_prefix: str, environment: Mapping[str, str]
    ) -> None:
        self._write_secret(self.key_path, self._key)
        if self.access.token:
            self._write_secret(self.token_path, self.access.token)
        triton_log.rotate(self.log_path)
        with self.log_path.open("wb") as log:
            self._process = tied_process.start(
                self._command(triton, files, region_prefix),
                directory=files / "empty",
                environment={**environment_for(triton), **self._environment, **environment},
                log=log,
            )
        self._lock.note(self._process.pid, dict(self.ports.items()), self._scratch)

    def _write_secret(self, path: Path, secret: str) -> None:
        text = secret + "\n"
        with contextlib.suppress(OSError):
            if path.read_text() == text:
                return
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            file.write(text)

    def _command(self, triton: Triton, files: Path, region_prefix: str) -> list[str]:
        return [
            str(triton.binary),
            f"--model-repository={files / 'models'}",
            f"--backend-directory={files / 'backends'}",
            *triton_arguments.region_prefix(region_prefix),
            *triton_arguments.region_sizes(),
            *triton_arguments.completion(self._arguments),
            *triton_arguments.closed_doors(self._key),
            *triton_arguments.forwarded_headers(self._settings, traced=self._traced()),
            f"--exit-timeout-secs={_EXIT_TIMEOUT_S}",
            *triton_arguments.listening(self._hosts, self.ports),
            *(self._tls.arguments() if self._tls else ()),
            *self._arguments,
        ]

    def _traced(self) -> bool:
        return bool({**os.environ, **self._environment}.get(ENDPOINT))

    def _wait(self) -> None:
        deadline = time.monotonic() + self._start_timeout_s
        while True:
            results = probe.ask(self.target, self.models, access=self.access)
            if self.returncode is not None:
                raise self._ended_early()
            sick = [result for result in results if not result.alive]
            if not sick:
                self._was_up = True
                return
            if time.monotonic() > deadline:
                answers = "; ".join(f"{result.model}: {result.text}" for result in sick)
                if all(result.text == probe.NOBODY for result in sick):
                    answers = "Triton does not listen yet"
                raise self._failure(
                    f"no good answer within {self._start_timeout_s:g} s ({answers})"
                )
            time.sleep(_POLL_S)

    def _ended_early(self) -> LaunchError:
        status = self.returncode or 0
        error = self._failure(f"Triton ended at its start ({_ended(status)})")
        race = server_log.lost_a_port(self._log())
        if race and not self._was_up:
            self._ports = None  # Those of the caller stay; the free ones are chosen again.
        if status < 0 or race:
            return TritonAborted(str(error), self.log_path)
        return error

    def _log(self) -> str:
        try:
            return self.log_path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def _failure(self, what: str) -> LaunchError:
        lines = "".join(f"\n  {line}" for line in self.log_tail())
        return LaunchError(f"{what}:{lines}\nThe whole log: {self.log_path}", self.log_path)


def _ended(returncode: int) -> str:
    if returncode < 0:
        return f"by {signal.Signals(-returncode).name}"
    return f"with status {returncode}"
