"""The chart of `deploy/`, rendered by Helm's own library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.handwritten import ROOT

CHART = ROOT / "deploy" / "chart" / "penchant"
VALUES = sorted((CHART / "ci").glob("*-values.yaml"))
"""Files of values, each a way to deploy."""

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RenderedChart:
    """The manifests of one release."""

    manifests: tuple[Manifest, ...]
    notes: str

    def of(self, kind: str) -> list[Manifest]:
        """The manifests of a kind."""
        return [one for one in self.manifests if one["kind"] == kind]

    def pods(self) -> Iterator[tuple[Manifest, Manifest]]:
        """The metadata and the spec of each pod template."""
        for one in self.of("StatefulSet"):
            yield one["spec"]["template"]["metadata"], one["spec"]["template"]["spec"]
        for one in self.of("CronJob"):
            template = one["spec"]["jobTemplate"]["spec"]["template"]
            yield template["metadata"], template["spec"]


def render(values: Mapping[str, Any], chart: Path = CHART) -> RenderedChart:
    """Renders as `helm template` does; skips the test where Helm's library is not installed.

    Raises:
        HelmError: the values break the schema, or a template refuses them.
    """
    helm = pytest.importorskip("helm_python", reason="no helm-python-sdk: pip install '.[deploy]'")
    with helm.Chart.load(str(chart)) as loaded:
        files = loaded.render(dict(values), name="demo", namespace="prod")
    notes = "".join(text for name, text in files.items() if name.endswith("NOTES.txt"))
    documents = [
        document
        for name, text in sorted(files.items())
        if not name.endswith("NOTES.txt")
        for document in yaml.safe_load_all(text)
        if document
    ]
    return RenderedChart(tuple(documents), notes)


def read_values(path: Path) -> Manifest:
    """The values of a file."""
    values: Manifest = yaml.safe_load(path.read_text())
    return values
