"""The restarts by `penchant serve`, as gauges."""

from __future__ import annotations

from penchant.server.metric_table import Series
from penchant.system.supervision import RestartNote


def restart_gauges(note: RestartNote) -> dict[Series, float]:
    """How often the server was restarted, and when and why the last time."""
    gauges: dict[Series, float] = {("penchant_restarts", ()): float(note.restarts)}
    if note.kind:
        at = ("penchant_last_restart_timestamp_seconds", (("reason", note.kind),))
        gauges[at] = note.at_s
    return gauges
