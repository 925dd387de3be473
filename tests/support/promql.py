"""The metrics that an expression of Prometheus names."""

from __future__ import annotations

import re

_NAME = re.compile(r"(?<![\w:])((?:penchant|nv|up\b)[\w:]*)(?![\w(])")
_IN_LABELS = re.compile(r"\{[^}]*\}|\"[^\"]*\"")
_PART = re.compile("_(bucket|sum|count)$")


def metrics_in(expression: str) -> set[str]:
    """The names, those of a histogram's parts as the histogram's.

    >>> metrics_in('sum by (le) (rate(penchant_fold_seconds_bucket{model="penchant_x"}[5m]))')
    {'penchant_fold_seconds'}
    """
    names = set(_NAME.findall(_IN_LABELS.sub("", expression)))
    return {_PART.sub("", name) if not name.startswith("nv_") else name for name in names}
