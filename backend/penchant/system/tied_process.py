"""Starts programs that end with this process, however it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import IO

from penchant.system import tied_program


def start(
    command: Sequence[str], *, directory: Path, environment: Mapping[str, str], log: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Starts a program in a process group of its own; SIGKILL of this process kills it too.

    Files that it creates are its user's alone.

    Args:
        command: the program's path and its arguments.
        directory: its working directory.
        environment: all of its environment variables.
        log: receives its output and errors.

    Raises:
        OSError: the directory does not exist, or no process can be started.
    """
    launcher = [sys.executable, "-I", "-S", tied_program.__file__, str(os.getpid())]
    return (
        _thread(os.getpid())
        .submit(
            subprocess.Popen,
            [*launcher, *command],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        .result()
    )


@cache
def _thread(pid: int) -> ThreadPoolExecutor:
    """A thread that lasts as long as this process: Linux counts its end as the parent's death.

    A fork has none of its parent's threads, so the process id is part of the key.
    """
    return ThreadPoolExecutor(1, thread_name_prefix="starter")
