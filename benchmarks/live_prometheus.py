"""A real Prometheus with the rules of `deploy/rules` at short intervals."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RULES = ROOT / "deploy" / "rules" / "penchant.yml"
FETCHED = ROOT / "build" / "prometheus" / "usr" / "bin" / "prometheus"
SCALE = 60
"""How much faster time passes in the rules: an hour is a minute."""

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?P<before>\[|offset |for: )(?P<count>\d+)(?P<unit>[smhd])")


def hurried(rules: str) -> str:
    """Rules with every window, offset and `for` SCALE times shorter.

    >>> hurried("expr: rate(x_total[5m]) > rate(x_total[1h] offset 1d)")
    'expr: rate(x_total[5000ms]) > rate(x_total[60000ms] offset 1440000ms)'
    """

    def shorter(found: re.Match[str]) -> str:
        milliseconds = int(found["count"]) * _SECONDS[found["unit"]] * 1000 // SCALE
        return f"{found['before']}{milliseconds}ms"

    return _DURATION.sub(shorter, rules)


def find_prometheus() -> Path:
    """The program; ends with a sentence where there is none."""
    found = FETCHED if FETCHED.is_file() else shutil.which("prometheus")
    if found is None:
        raise SystemExit("needs Prometheus: `make prometheus` fetches Debian's, without root")
    return Path(found)


class LivePrometheus:
    """Asks a running Prometheus."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1/"
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def firing(self) -> set[str]:
        """Names of the alerts that fire."""
        alerts = self._ask("alerts")["alerts"]
        return {one["labels"]["alertname"] for one in alerts if one["state"] == "firing"}

    def curves(
        self, expression: str, begin_s: float, end_s: float, step_s: float = 1.0
    ) -> list[tuple[dict[str, str], list[tuple[float, float]]]]:
        """The series of an expression over a time: labels, and pairs of time and value."""
        found = self._ask("query_range", query=expression, start=begin_s, end=end_s, step=step_s)[
            "result"
        ]
        return [
            (one["metric"], [(at_s, float(value)) for at_s, value in one["values"]])
            for one in found
        ]

    def _ask(self, path: str, **parameters: object) -> Any:
        url = f"{self._url}{path}?{urllib.parse.urlencode(parameters)}"
        with self._open(url, timeout=30) as reply:
            return json.load(reply)["data"]


@contextmanager
def live_prometheus(directory: Path, metrics_port: int) -> Iterator[LivePrometheus]:
    """Runs a Prometheus that scrapes one server four times a second.

    Args:
        directory: receives its files; must exist.
        metrics_port: of the server, on this machine.
    """
    (directory / "rules.yml").write_text(hurried(RULES.read_text()))
    (directory / "prometheus.yml").write_text(
        "global: {scrape_interval: 250ms, scrape_timeout: 250ms, evaluation_interval: 500ms}\n"
        "rule_files: [rules.yml]\n"
        "scrape_configs:\n"
        "  - job_name: penchant\n"
        f"    static_configs: [{{targets: ['127.0.0.1:{metrics_port}']}}]\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (directory / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                find_prometheus(),
                f"--config.file={directory / 'prometheus.yml'}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        yield LivePrometheus(port)
    finally:
        process.terminate()
        process.wait(30)
