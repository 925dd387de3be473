"""Penchant's Triton backend: it hands Triton's module on to `penchant.server.triton.adapter`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import triton_python_backend_utils as pb_utils

sys.path.insert(0, str(Path(__file__).resolve().parent))

from penchant.server.triton.adapter import Adapter


class TritonPythonModel:
    """What Triton's Python backend calls: one object per model instance."""

    def initialize(self, args: dict[str, str]) -> None:
        """Loads the model that the configuration names; an exception here keeps it unready."""
        self._adapter = Adapter(pb_utils, args)

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answers a batch; never raises. None stands for a request that is answered later."""
        return self._adapter.execute(requests)

    def finalize(self) -> None:
        """Finishes what is under way and closes the store."""
        self._adapter.close()
