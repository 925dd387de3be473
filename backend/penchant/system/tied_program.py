"""Becomes another program that Linux kills at the end of the process that started this one.

Run as a file, by `tied_process.start`: nothing is imported but the standard library. The setting
survives the change of programs. Doing this between fork and exec of a process with threads, as
gRPC's clients have them, could hang.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(parent: int, program: str, *arguments: str) -> None:
    """Asks for the signal, checks that the parent still lives, and becomes the program."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        print(f"penchant: prctl: {os.strerror(ctypes.get_errno())}", file=sys.stderr)
    if os.getppid() != parent:  # It ended before the request was made.
        sys.exit(1)
    os.umask(0o077)  # Shared memory and files hold users' data.
    try:
        os.execv(program, [program, *arguments])
    except OSError as error:
        sys.exit(f"error: {program} cannot be run: {error.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
