"""The middle clock beside a server: `penchant refresh --every` as a process of its own.

It ends with this process, however that ends, and is started again if it ends by itself. It never
stops the server: what it lacks or does wrong is said, and tried again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from penchant.launch import processes, triton_log
from penchant.launch.back_off import BackOff
from penchant.system import tied_process
from penchant.system.interval import shown_interval

NAME = "refresh.log"

_STOP_S = 2.0
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class RefreshProcess:
    """The clock of a server's store."""

    def __init__(
        self,
        store: str,
        every_s: float,
        directory: Path,
        remark: Callable[[str], None],
        *,
        tenants: bool = False,
        state_dir: str = "",
    ) -> None:
        """Starts nothing yet.

        Args:
            store: address of the store.
            every_s: seconds between two looks.
            directory: receives the clock's log.
            remark: called with a sentence when the clock ended by itself.
            tenants: whether to refresh the stores of the tenants too.
            state_dir: where the server of a store in a network keeps its own files; empty: none.
        """
        self._command = [
            *(sys.executable, "-P", "-m", "penchant.cli.main", "refresh"),
            *("--store", store, "--every", shown_interval(every_s)),
            *(["--tenants"] if tenants else []),
            # Tenants have directories of their own, which the command finds by their stores.
            *(["--set", f"state_dir={state_dir}"] if state_dir and not tenants else []),
        ]
        self._remark = remark
        self._process: subprocess.Popen[bytes] | None = None
        self._waits = BackOff()
        self._begun_s = self._next_s = 0.0
        self.log_path = directory / NAME
        """What the clock did, and why not."""

    @property
    def pid(self) -> int | None:
        """The id of the clock's process; None if it is not running."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Begins a new log, and starts the clock; raises OSError."""
        triton_log.rotate(self.log_path)
        self._start()

    def look(self) -> None:
        """Starts the clock again if it has ended and the wait for that is over; never raises."""
        if self.pid is not None:
            return
        now = time.monotonic()
        if self._process is not None:
            wait_s = self._waits.after(now - self._begun_s)
            self._remark(
                f"The refresh clock ended with status {self._process.returncode} and is started "
                f"again{f' in {wait_s:g} s' if wait_s else ''}; its log: {self.log_path}"
            )
            self._process, self._next_s = None, now + wait_s
        if now >= self._next_s:
            try:
                self._start()
            except OSError as error:
                self._next_s = now + (self._waits.after(0.0) or 1.0)
                self._remark(f"The refresh clock cannot be started: {error.strerror}")

    def stop(self) -> None:
        """Ends the clock; a refresh under way is given up, and publishes nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            if process.poll() is None:
                process.terminate()
                process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            pass  # Killed below.
        finally:
            processes.kill_group(process.pid)
            process.wait()

    def _start(self) -> None:
        self._begun_s = time.monotonic()
        with self.log_path.open("ab") as log:
            self._process = tied_process.start(
                self._command,
                directory=Path.cwd(),  # Where a settings file may lie.
                environment={**os.environ, **_ONE_THREAD},
                log=log,
            )
