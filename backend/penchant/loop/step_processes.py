"""Runs each step of a loop as a process of its own, and passes signals on to it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from penchant.loop.loop_plan import LoopStep

_STOPS = (signal.SIGTERM, signal.SIGINT)


class StepProcesses:
    """Runs steps one after another; within `with`, SIGTERM and SIGINT go to the running step."""

    def __init__(self, lock: int) -> None:
        """Begins without a process.

        Args:
            lock: file descriptor of the loop's lock, which every process inherits.
        """
        self._lock = lock
        self._stopped: list[int] = []
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in _STOPS:
            self._before[number] = signal.signal(
                number, lambda got, _frame: self._stopped.append(got)
            )
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def __call__(self, step: LoopStep, log: Path) -> int:
        """Runs a step to its end; gives its exit code, 128 + n after signal n.

        Args:
            step: the step.
            log: file to which its output is appended.
        """
        if self._stopped:
            return 128 + self._stopped[0]
        command = [sys.executable, "-m", "penchant.cli.main", *step.arguments]
        with log.open("ab") as file:
            process = subprocess.Popen(
                command,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(self._lock,),
            )
            sent = 0
            while process.poll() is None:
                for number in self._stopped[sent:]:
                    process.send_signal(number)
                    sent += 1
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.2)
        if process.returncode and self._stopped:
            return 128 + self._stopped[0]
        return process.returncode if process.returncode >= 0 else 1
