"""Tables of the release demo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from demos.demo_tables import demo_table
from demos.release.continuous_clients import ServedRanking
from demos.release.recomputed_scores import RecomputedScores
from penchant.report.quantile import quantile

PHASES = ("before", "published", "rolled back")


def phases_table(served: Sequence[ServedRanking], versions: Sequence[RecomputedScores]) -> Table:
    """Encoder, catalog version, number of rankings and latency in each phase.

    Args:
        served: all rankings.
        versions: recomputed scores of each phase's catalog version, in order.
    """
    numbers = ("encoder", "catalog version", "rankings", "p50", "p99")
    table = demo_table("Served before, during and after the release", "", *numbers, numbers=numbers)
    for name, version in zip(PHASES, versions, strict=True):
        seconds = [one.seconds for one in served if one.reply.catalog_version == version.version]
        row = (version.encoder_version, str(version.version), f"{len(seconds):,}")
        latencies = [f"{quantile(seconds, share) * 1e3:.1f} ms" for share in (0.5, 0.99)]
        table.add_row(name, *row, *latencies)
    return table


def quality_table(findings: Mapping[str, Any]) -> Table:
    """Ranking quality before and after, as the gate measured it.

    Args:
        findings: the gate's findings on the validation part of the log, by metric.
    """
    title = "Measured by the gate, on ratings that the encoder was not trained on"
    numbers = ("before", "published", "rankings")
    table = demo_table(title, "", *numbers, numbers=numbers)
    for metric, one in findings.items():
        values = (f"{one['baseline']:.4f}", f"{one['candidate']:.4f}", f"{one['rankings']:,}")
        table.add_row(metric, *values)
    return table
