"""Runs one Triton: starts it, waits until each model answers, stops it and cleans up."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from penchant.launch import layout, probe, processes, server_log
from penchant.launch.errors import LaunchError
from penchant.launch.ports import FREE, Ports, choose
from penchant.launch.tritonserver import (
    Triton,
    check_numpy,
    check_stub,
    environment_for,
    find_triton,
)

_POLL_S = 0.1
_EXIT_TIMEOUT_S = 10
_STOP_TIMEOUT_S = 20.0
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}


class Server:
    """A Triton with Penchant's models, in its own process group.

        with Server(directory, {"store": "lmdb:/data/store", "encoder": "/data/encoder"}) as server:
            ...  # server.target is the gRPC address

    After `kill` or `stop`, the object can be started again; it keeps its ports.
    """

    def __init__(
        self,
        directory: Path,
        settings: Mapping[str, str],
        *,
        host: str = "127.0.0.1",
        ports: Ports = FREE,
        instances: Mapping[str, int] | None = None,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        start_timeout_s: float = 120.0,
        triton: Triton | None = None,
        sources: layout.Sources | None = None,
    ) -> None:
        """Describes a server; nothing is started yet.

        Args:
            directory: receives the backend directory, the model repository and the log; created if
                missing. One server at a time may use it.
            settings: parameters of every model; see `penchant.config.Config`.
            host: the address to listen on.
            ports: 0 selects a free port, at the first start.
            instances: processes per model, by the model's name; default: as in the template.
            arguments: further arguments for tritonserver, passed on unchanged.
            environment: further environment variables for the server and its models.
            start_timeout_s: time limit of `start`, in seconds.
            triton: default: as `find_triton` finds it.
            sources: default: those of this installation.
        """
        self._directory = directory.resolve()
        self._settings = dict(settings)
        self._host = host
        self._wanted = ports
        self._ports: Ports | None = None
        self._instances = dict(instances or {})
        self._arguments = list(arguments)
        self._environment = dict(environment or {})
        self._start_timeout_s = start_timeout_s
        self._triton = triton
        self._sources = sources
        self._process: subprocess.Popen[bytes] | None = None
        self._shared_memory = ""

    def __enter__(self) -> Self:
        self.start()
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
        return self._address(self.ports.grpc)

    @property
    def http_url(self) -> str:
        """The HTTP address for clients on this machine."""
        return f"http://{self._address(self.ports.http)}"

    @property
    def metrics_url(self) -> str:
        """The address of the metrics for Prometheus on this machine."""
        return f"http://{self._address(self.ports.metrics)}/metrics"

    @property
    def log_path(self) -> Path:
        """The log of Triton and of the models; each start begins a new one."""
        return self._directory / "triton.log"

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

    def start(self) -> None:
        """Starts Triton and waits until each model answers a request of the probe.

        Raises:
            LaunchError: something is missing, a port is taken, a model cannot be loaded, or the
                time limit has passed. Nothing is left running.
        """
        if self.pid:
            raise LaunchError(f"the server is already running, as process {self.pid}")
        triton = self._triton or find_triton()
        check_numpy(triton)
        check_stub(triton)
        layout.check_path("directory", self._directory)
        self._ports = choose(self.ports, self._host)
        models = self._lay_out(triton)
        self._launch(triton)
        try:
            self._wait(models)
        except BaseException:
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
        """Kills the whole process group and removes its shared memory."""
        process = self._process
        if process is None or not self._shared_memory:
            return
        processes.kill_group(process.pid)
        process.wait()
        processes.remove_shared_memory(self._shared_memory)
        self._shared_memory = ""

    def log_tail(self) -> list[str]:
        """The lines of the log that best explain a failure."""
        if not self.log_path.is_file():
            return []
        return server_log.failure(self.log_path.read_text(encoding="utf-8", errors="replace"))

    def death(self) -> LaunchError:
        """The error for a server that ended by itself, with the explanation from its log."""
        return self._failure(f"Triton ended by itself ({_ended(self.returncode or 0)})")

    def _address(self, port: int) -> str:
        host = _ANYWHERE.get(self._host, self._host)
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def _lay_out(self, triton: Triton) -> list[str]:
        sources = self._sources or layout.find_sources()
        backends, models = self._directory / "backends", self._directory / "models"
        layout.write_backend(backends, sources)
        layout.write_python_backend(backends, triton)
        shutil.rmtree(models, ignore_errors=True)
        names = layout.write_models(models, sources, self._settings, self._instances)
        # Python looks for modules in the working directory first, so it must be empty.
        empty = self._directory / "empty"
        shutil.rmtree(empty, ignore_errors=True)
        empty.mkdir()
        return names

    def _launch(self, triton: Triton) -> None:
        self._shared_memory = f"penchant_{secrets.token_hex(6)}_"
        environment = {**environment_for(triton), **self._environment}
        with self.log_path.open("wb") as log:
            try:
                self._process = subprocess.Popen(
                    self._command(triton),
                    cwd=self._directory / "empty",
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    process_group=0,
                )
            except OSError as error:
                raise LaunchError(f"{triton.binary}: cannot be run: {error}") from error

    def _command(self, triton: Triton) -> list[str]:
        directory = self._directory
        listening = [
            part
            for name, port in self.ports.items()
            for part in (f"--{name}-address={self._host}", f"--{name}-port={port}")
        ]
        return [
            str(triton.binary),
            f"--model-repository={directory / 'models'}",
            f"--backend-directory={directory / 'backends'}",
            # Settings of the Python backend apply to all backends written in Python.
            f"--backend-config=python,shm-region-prefix-name={self._shared_memory}",
            "--disable-auto-complete-config",  # Penchant's are complete; this saves a second.
            f"--exit-timeout-secs={_EXIT_TIMEOUT_S}",
            *listening,
            *self._arguments,
        ]

    def _wait(self, models: Sequence[str]) -> None:
        asked = [model for model in probe.calls() if model in models]
        deadline = time.monotonic() + self._start_timeout_s
        while True:
            results = probe.ask(self.target, asked)
            if self.returncode is not None:
                raise self._failure(f"Triton ended at its start ({_ended(self.returncode)})")
            sick = [result for result in results if not result.alive]
            if not sick:
                return
            if time.monotonic() > deadline:
                answers = "; ".join(f"{result.model}: {result.text}" for result in sick)
                if all(result.text == probe.NOBODY for result in sick):
                    answers = "Triton does not listen yet"
                raise self._failure(
                    f"no good answer within {self._start_timeout_s:g} s ({answers})"
                )
            time.sleep(_POLL_S)

    def _failure(self, what: str) -> LaunchError:
        lines = "".join(f"\n  {line}" for line in self.log_tail())
        return LaunchError(f"{what}:{lines}\nThe whole log: {self.log_path}", self.log_path)


def _ended(returncode: int) -> str:
    if returncode < 0:
        return f"by {signal.Signals(-returncode).name}"
    return f"with status {returncode}"
