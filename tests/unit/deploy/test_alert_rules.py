"""The alert rules: promtool accepts them, each fires by its cause alone, and has a runbook."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from penchant.server.first_series import FAULTS
from penchant.server.metric_table import FAMILIES, SECONDS
from tests.support.handwritten import ROOT
from tests.support.prometheus_tools import prometheus_tool
from tests.support.promql import metrics_in

RULES = ROOT / "deploy" / "rules" / "penchant.yml"
CASES = sorted(RULES.parent.glob("*_test.yml"))


def rules() -> list[dict[str, Any]]:
    return [one for group in yaml.safe_load(RULES.read_text())["groups"] for one in group["rules"]]


ALERTS = {one["alert"]: one for one in rules() if "alert" in one}
RECORDS = {one["record"] for one in rules() if "record" in one}


def promtool(*arguments: str | Path) -> str:
    """What promtool says; fails the test where it refuses."""
    command = [prometheus_tool("promtool"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_accepts_the_rules() -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", RULES)


@pytest.mark.parametrize("cases", CASES, ids=lambda path: path.stem)
def test_every_alert_fires_by_its_cause_and_not_without_it(cases: Path) -> None:
    promtool("test", "rules", cases)


def test_every_alert_is_tested_both_ways() -> None:
    fires: dict[str, set[bool]] = {}
    for path in CASES:
        for case in yaml.safe_load(path.read_text())["tests"]:
            for check in case["alert_rule_test"]:
                fires.setdefault(check["alertname"], set()).add(bool(check["exp_alerts"]))
    assert fires == {name: {True, False} for name in ALERTS}


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_has_a_runbook_that_says_who_suffers_where_to_look_and_what_to_do(
    name: str,
) -> None:
    url = ALERTS[name]["annotations"]["runbook_url"]
    assert url == f"docs/operations.md#{name.lower()}"
    text = (ROOT / "docs" / "operations.md").read_text()
    _, found, rest = text.partition(f"\n### {name}\n")
    assert found
    section = re.split(r"\n#{2,3} ", rest)[0]
    for part in ("Users", "Look", "Do"):
        assert re.search(rf"\*\*{part}:\*\* \S", section), part


def test_no_runbook_is_of_an_alert_that_is_gone() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    assert set(re.findall(r"^### (Penchant\w+)$", text, re.MULTILINE)) == set(ALERTS)


def test_every_alert_says_what_it_is_and_how_soon_to_come() -> None:
    for name, rule in ALERTS.items():
        assert rule["labels"]["severity"] in ("page", "ticket"), name
        assert rule["annotations"]["summary"].endswith("."), name
        assert rule["annotations"]["description"].endswith("."), name


@pytest.mark.parametrize("rule", rules(), ids=lambda one: one.get("alert") or one["record"])
def test_the_metrics_of_every_rule_exist(rule: dict[str, Any]) -> None:
    """A misspelt metric makes an alert that never fires."""
    assert metrics_in(rule["expr"]) <= {*FAMILIES, *RECORDS, "up"}


def test_the_faults_that_burn_the_error_budget_are_those_of_the_server() -> None:
    assert set(re.findall(r'result=~"([A-Za-z|]+)"', RULES.read_text())) == {"|".join(FAULTS)}


def test_the_objectives_of_latency_are_bounds_of_buckets() -> None:
    """Else the series would not exist."""
    bounds = {f"{bound:g}" for bound in SECONDS}
    assert set(re.findall(r'le="([\d.]+)"', RULES.read_text())) <= bounds
