"""The restarts by `penchant serve`, as gauges."""

from __future__ import annotations

from typing import Any

from penchant.system.supervision import RestartNote

RESTARTS, LAST_RESTART = "penchant_restarts", "penchant_last_restart_timestamp_seconds"

GAUGES = {
    RESTARTS: "Times that `penchant serve` has started this server again since its own start",
    LAST_RESTART: "Time of the latest of these restarts, by reason; absent before the first",
}
"""The gauges, and what each means."""


def show_restarts(pb_utils: Any, note: RestartNote) -> list[Any]:
    """Shows how often the server was restarted, and when and why the last time.

    Args:
        pb_utils: Triton's module.
        note: what `penchant serve` has told this process.

    Returns:
        The metrics, which exist as long as these objects.
    """
    kept: list[Any] = []

    def show(name: str, value: float, labels: dict[str, str]) -> None:
        kind = pb_utils.MetricFamily.GAUGE
        family = pb_utils.MetricFamily(name=name, description=GAUGES[name], kind=kind)
        metric = family.Metric(labels=labels)
        metric.set(value)
        kept.extend((family, metric))

    show(RESTARTS, note.restarts, {})
    if note.kind:
        show(LAST_RESTART, note.at_s, {"reason": note.kind})
    return kept
