"""Exports of an encoder with few options."""

from __future__ import annotations

from pathlib import Path

from penchant.training.export import ExportReport, ExportRequest, export_encoder


def export(
    source: Path, output: Path, *, dimensions: int = 64, max_tokens: int = 128
) -> ExportReport:
    """Exports an encoder with truncated vectors."""
    request = ExportRequest(
        output=output, source=source, dimensions=dimensions, max_tokens=max_tokens
    )
    return export_encoder(request)
