"""Which implementation of the hot path runs in this process: the compiled module, or NumPy.

Both obey the same laws and write the same bytes. The module is taken where it is installed (package
`penchant-native`, from `native/`), has the interface that this release calls, and the environment
variable PENCHANT_NATIVE is not `off` (or `0`, `no`, `false`). What has a compiled way asks once,
when it is built:

    if native_choice().runs:
        import penchant_native

and keeps the NumPy way beside it, for what the compiled one declines.
"""

from __future__ import annotations

import functools
import importlib
import os
from typing import NamedTuple

NATIVE_VARIABLE = "PENCHANT_NATIVE"
"""Environment variable; `off`, or another of `_OFF`, forces the NumPy path."""
_OFF = ("off", "0", "no", "false")
_ON = ("", "on", "1", "yes", "true")
INTERFACE = 6
"""Number of the compiled interface that this release calls."""

COST_OF_NUMPY = "a rank takes its process 4 to 6 times as long as natively, an event twice as long"
"""What the NumPy path costs, for people to read; docs/concepts/native.md has the figures."""


class NativeChoice(NamedTuple):
    """The implementation that runs, and why."""

    runs: bool
    """Whether the compiled module runs."""
    reason: str
    """For people to read."""


def native_choice() -> NativeChoice:
    """The implementation that runs in this process; the import is tried once.

    >>> native_choice().runs in (True, False)
    True
    """
    asked = os.environ.get(NATIVE_VARIABLE, "")
    word = asked.strip().lower()
    if word in _OFF:
        return NativeChoice(False, f"NumPy: {NATIVE_VARIABLE}={asked}")
    choice = _imported()
    if word not in _ON:
        # Whoever looks for a fault must not believe that the module was off.
        said = f"{choice.reason} ({NATIVE_VARIABLE}: got {asked!r}, expected off or on)"
        return choice._replace(reason=said)
    return choice


@functools.cache
def _imported() -> NativeChoice:
    try:
        module = importlib.import_module("penchant_native")
    except ImportError as error:
        # A part of it that is missing: the one for this Python.
        missing = isinstance(error, ModuleNotFoundError) and error.name == "penchant_native"
        why = "not installed" if missing else f"does not load in this Python: {error}"
        return NativeChoice(False, f"NumPy: penchant_native: {why}")
    found = getattr(module, "INTERFACE", None)
    if found != INTERFACE:
        text = f"NumPy: penchant_native: got interface {found}, expected {INTERFACE}: install both"
        return NativeChoice(False, f"{text} from one release")
    return NativeChoice(True, "native: penchant_native")
