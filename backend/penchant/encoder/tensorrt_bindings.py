"""Which TensorRT is on this machine: its Python module, under whatever name it was installed."""

from __future__ import annotations

import importlib
from typing import Any

from penchant.domain.errors import ConfigError

MODULES = ("tensorrt", "tensorrt_rtx", "tensorrt_rtx_bindings")
"""The data centre's TensorRT first; TensorRT for RTX has the same classes."""


def find_tensorrt() -> Any | None:
    """The first module that can be imported; None: there is none."""
    for name in MODULES:
        try:
            return importlib.import_module(name)
        except (ImportError, OSError):  # OSError: the bindings are there without their libraries.
            continue
    return None


def require_tensorrt() -> Any:
    """The same; ConfigError where there is none."""
    module = find_tensorrt()
    if module is None:
        raise ConfigError(
            "tensorrt: not installed; `pip install 'penchant[tensorrt]'`, which builds engines "
            "also where there is no GPU"
        )
    return module


def runtime_name(module: Any) -> str:
    """What engines of this module are called: they load in no other.

    >>> class tensorrt_rtx_bindings: __name__ = "tensorrt_rtx_bindings"
    >>> runtime_name(tensorrt_rtx_bindings)
    'tensorrt-rtx'
    """
    return "tensorrt-rtx" if "rtx" in module.__name__ else "tensorrt"
