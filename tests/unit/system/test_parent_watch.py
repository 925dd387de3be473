"""A model's process ends with the server that started it, whatever it hangs in."""

from __future__ import annotations

import subprocess
import sys

import psutil

# The server: it starts a model from a thread, as Triton does, says its id and is killed.
SERVER = """
import subprocess, sys, threading, time

def load():
    model = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=sys.stdout)
    time.sleep(600)
threading.Thread(target=load).start()
"""

# The model holds Python's lock from then on, as one does that waits in a lock of its server.
MODEL = """
import ctypes, os, signal, time
from penchant.system import parent_watch
parent_watch.LONGEST_HOLD_S = 3.0
parent_watch.end_with_server()
while not signal.getitimer(signal.ITIMER_REAL)[0]:
    time.sleep(0.01)
print(os.getpid(), flush=True)
ctypes.PyDLL(None).sleep(600)
"""


def test_a_model_that_holds_pythons_lock_while_it_loads_ends_with_its_server() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, MODEL], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        model = psutil.Process(int(server.stdout.readline()))
        server.kill()
    try:
        _, alive = psutil.wait_procs([model], timeout=60)
        assert not alive
    finally:
        if model.is_running():
            model.kill()
