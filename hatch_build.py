"""Adds to a wheel what a Triton is given: `model.py` and the model repository."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class TritonFiles(BuildHookInterface):
    """Only to a wheel: an editable installation finds both in the checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it builds."""
        if version != "editable":
            build_data["force_include"]["backend/model.py"] = "penchant/_triton/model.py"
            build_data["force_include"]["model_repository"] = "penchant/_triton/model_repository"
