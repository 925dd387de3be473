"""The dashboard: its file is what its code says, its queries parse, its metrics exist."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from penchant.server.metric_table import FAMILIES
from tests.support.handwritten import ROOT
from tests.support.prometheus_tools import prometheus_tool
from tests.support.promql import metrics_in

DIRECTORY = ROOT / "deploy" / "dashboards"
RULES = yaml.safe_load((ROOT / "deploy" / "rules" / "penchant.yml").read_text())
RECORDS = {
    one["record"]: one["expr"]
    for group in RULES["groups"]
    for one in group["rules"]
    if "record" in one
}
TRITONS = {"nv_inference_queue_duration_us", "nv_inference_request_success"}


def panels() -> Iterator[dict[str, Any]]:
    yield from json.loads((DIRECTORY / "penchant.json").read_text())["panels"]


def queries() -> list[str]:
    return [one["expr"] for panel in panels() for one in panel.get("targets", ())]


def test_the_file_is_what_its_code_says() -> None:
    command = [sys.executable, str(DIRECTORY / "generate_dashboard.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_rows_go_from_symptoms_over_layers_to_resources() -> None:
    rows = [panel["title"].partition(":")[0] for panel in panels() if panel["type"] == "row"]
    assert rows == ["Symptoms", "Layers", "Resources"]


def test_prometheus_parses_every_query(tmp_path: Path) -> None:
    """Grafana fills its variables in before it asks."""
    filled = [
        re.sub(r"\$instance", ".*", one.replace("$__rate_interval", "1m")) for one in queries()
    ]
    recorded = [{"record": f"q{place}", "expr": one} for place, one in enumerate(filled)]
    rules = tmp_path / "queries.yml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": recorded}]}))
    command = [str(prometheus_tool("promtool")), "check", "rules", str(rules)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{len(filled)} rules found" in done.stdout


def test_every_metric_that_is_shown_exists() -> None:
    known = {*FAMILIES, *RECORDS, *TRITONS, "up"}
    for one in queries():
        assert metrics_in(one) <= known, one


def test_every_metric_is_shown() -> None:
    shown = set().union(*(metrics_in(one) for one in queries()))
    shown = shown.union(*(metrics_in(RECORDS[one]) for one in shown & set(RECORDS)))
    assert set(FAMILIES) <= shown
