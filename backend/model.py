"""The entry point of Triton's Python backend; `penchant.server.triton.adapter` does the work."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import triton_python_backend_utils as pb_utils

sys.path.insert(0, str(Path(__file__).resolve().parent))

from penchant.system.parent_watch import end_with_server

end_with_server()


class TritonPythonModel:
    """One instance of one model; Triton calls its methods."""

    def initialize(self, args: dict[str, str]) -> None:
        """Loads the model named in `args`; an exception leaves it unready."""
        # Not above: a Triton that completes configurations imports this file once more per model,
        # in a process that has nothing else to do, and waits for it.
        from penchant.server.triton.adapter import Adapter

        self._adapter = Adapter(pb_utils, args)

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answers a batch of requests, with None for those answered later; never raises."""
        return self._adapter.execute(requests)

    def finalize(self) -> None:
        """Answers the calls under way and closes the store."""
        self._adapter.close()
