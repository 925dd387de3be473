"""Writes the dashboard for Grafana from `dashboard_panels.py`.

python deploy/dashboards/generate_dashboard.py            writes penchant.json
python deploy/dashboards/generate_dashboard.py --check    fails if it is not what would be written
"""

from __future__ import annotations

import sys
from pathlib import Path

from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DatasourceVariable,
    QueryVariable,
    Row,
)
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.timeseries import Panel
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef, VariableRefresh

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deploy.dashboards.dashboard_panels import ROWS, DashboardPanel

OUTPUT = Path(__file__).with_name("penchant.json")
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")


def dashboard() -> str:
    """The dashboard as JSON."""
    made = (
        Dashboard("Penchant")
        .uid("penchant")
        .tags(["penchant", "triton"])
        .refresh("30s")
        .time("now-3h", "now")
        .timezone("browser")
        .with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .with_variable(
            QueryVariable("instance")
            .label("Server")
            .datasource(SOURCE)
            .query("label_values(penchant_alive_timestamp_seconds, instance)")
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
            .multi(True)
            .include_all(True)
        )
    )
    for row in ROWS:
        made = made.with_row(Row(row.title))
        for panel in row.panels:
            made = made.with_panel(_chart(panel))
    return JSONEncoder(sort_keys=True, indent=2).encode(made.build()) + "\n"


def _chart(panel: DashboardPanel) -> Panel:
    chart = Panel().title(panel.title).unit(panel.unit).description(panel.meaning)
    chart = chart.datasource(SOURCE).span(8).height(7)
    for number, query in enumerate(panel.queries):
        chart = chart.with_target(
            Dataquery()
            .datasource(SOURCE)
            .expr(query.expression)
            .legend_format(query.legend)
            .ref_id(chr(ord("A") + number))
        )
    return chart


def main() -> None:
    """Writes the file, or checks it."""
    text = dashboard()
    if sys.argv[1:] == ["--check"]:
        if OUTPUT.read_text(encoding="utf-8") != text:
            sys.exit(f"{OUTPUT.name} is not what dashboard_panels.py says; run `make generate`")
        return
    OUTPUT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
