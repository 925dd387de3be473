"""What `penchant serve` tells the models of a server that it started again.

It travels in the environment of the processes, so that one of them can show it as a metric.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_RESTARTS, _KIND, _AT = (f"PENCHANT_RESTART{name}" for name in ("S", "_REASON", "_TIME"))


@dataclass(frozen=True, slots=True)
class RestartNote:
    """How often a server was started again since its first start, and why the last time."""

    restarts: int = 0
    kind: str = ""
    """The kind of the last fault, such as `model_died`; empty before the first restart."""
    at_s: float = 0.0
    """Time of the last restart, in epoch seconds."""

    def environment(self) -> dict[str, str]:
        """As environment variables.

        >>> RestartNote.read(RestartNote(2, "model_died", 12.5).environment())
        RestartNote(restarts=2, kind='model_died', at_s=12.5)
        """
        return {_RESTARTS: str(self.restarts), _KIND: self.kind, _AT: repr(self.at_s)}

    @staticmethod
    def read(environment: Mapping[str, str]) -> RestartNote:
        """From environment variables; nothing was restarted if they are missing.

        >>> RestartNote.read({})
        RestartNote(restarts=0, kind='', at_s=0.0)
        """
        return RestartNote(
            int(environment.get(_RESTARTS, "0")),
            environment.get(_KIND, ""),
            float(environment.get(_AT, "0")),
        )
