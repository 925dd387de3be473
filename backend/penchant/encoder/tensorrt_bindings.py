"""Finds TensorRT's Python module, under whichever name it is installed."""

from __future__ import annotations

import importlib
from typing import Any

from penchant.domain.errors import ConfigError

MODULES = ("tensorrt", "tensorrt_rtx", "tensorrt_rtx_bindings")
"""TensorRT for data centres first; TensorRT for RTX has the same classes."""


def find_tensorrt() -> Any | None:
    """The first TensorRT module that can be imported; None without one."""
    for name in MODULES:
        try:
            return importlib.import_module(name)
        except (ImportError, OSError):  # OSError: bindings without their libraries.
            continue
    return None


def require_tensorrt() -> Any:
    """The first TensorRT module that can be imported.

    Raises:
        ConfigError: none is installed.
    """
    module = find_tensorrt()
    if module is None:
        raise ConfigError(
            "tensorrt: not installed; `pip install 'penchant[tensorrt]'`, which builds engines "
            "without a GPU too"
        )
    return module


def runtime_name(module: Any) -> str:
    """The runtime's name in engine notes; an engine loads only in the runtime that built it.

    >>> class tensorrt_rtx_bindings: __name__ = "tensorrt_rtx_bindings"
    >>> runtime_name(tensorrt_rtx_bindings)
    'tensorrt-rtx'
    """
    return "tensorrt-rtx" if "rtx" in module.__name__ else "tensorrt"
