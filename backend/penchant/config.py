"""Settings: the parameters of a Triton model's configuration as one frozen dataclass.

Every parameter is a string in `config.pbtxt`. An unknown name is an error: a misspelt setting never
passes for a default. All five models read the same settings.
"""

from __future__ import annotations

import json
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.domain.limits import Limits
from penchant.domain.rewards import Signal, SignalTable
from penchant.domain.settings import FROM_0, MORE_THAN_0, FoldSettings, Range
from penchant.domain.signals import DEFAULT_SIGNALS, named_signals
from penchant.store.base import DEFAULT_MAP_BYTES

TRITON_PARAMETERS = frozenset({"EXECUTION_ENV_PATH"})
"""Parameters that belong to Triton's Python backend."""


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of a model."""

    store: str
    """Address of the store: `lmdb:` and a directory; `memory:` serves tests only."""
    encoder: Path
    """Directory of the encoder, as `penchant export` writes it."""
    catalog_dir: Path | None = None
    """Directory of the catalog's files. Default: `catalog` inside the LMDB directory."""
    releases_dir: Path | None = None
    """Directory of the releases. Default: `releases` inside the LMDB directory."""
    store_map_bytes: int = DEFAULT_MAP_BYTES
    """Size limit of an LMDB store, in bytes."""
    encoder_threads: int = 1
    """Threads that the encoder may use."""
    encoder_runtime: str = "auto"
    """`tensorrt`, `onnxruntime`, or `auto`: TensorRT if this machine can run the encoder's engine,
    else ONNX Runtime."""
    encoder_fallback: bool = True
    """Whether ONNX Runtime takes over if TensorRT fails while serving."""
    offset_half_life_s: float = 14 * 86400.0
    """Seconds after which an event counts half in its item's popularity."""
    offset_prior_impressions: float = 50.0
    """Impressions that every item is credited with before anybody has seen it."""
    fold: FoldSettings = field(default_factory=FoldSettings)
    """The settings of the fold; each is a parameter of its own, under its own name."""
    fixed: frozenset[str] = frozenset()
    """The settings of the fold that the operator set, which no refresh or release changes."""
    signals: SignalTable = field(default_factory=lambda: DEFAULT_SIGNALS)
    """Signal tables by name (`default`, `ads`, `games`, `home`), separated by commas, or a table
    as JSON: `{"like": {"reward": 1.0}, ...}`. Replaces the default table."""
    explorations_per_day: int = 50
    """Explored impressions per user and 24 hours; 0 turns exploration off."""
    limits: Limits = field(default_factory=Limits)
    """The limits of one call; not a parameter."""

    def __post_init__(self) -> None:
        for name, allowed in RANGES.items():
            allowed.check(name, getattr(self, name))
        if not self.signals:
            raise ConfigError("signals: got an empty table, expected at least one signal")


RANGES: Mapping[str, Range] = {
    "store_map_bytes": MORE_THAN_0,
    "encoder_threads": MORE_THAN_0,
    "offset_half_life_s": MORE_THAN_0,
    "offset_prior_impressions": MORE_THAN_0,
    "explorations_per_day": FROM_0,
}
"""The range of each numeric setting that is not the fold's."""


def _flag(text: str) -> bool:
    """`true` or `false`; ValueError for other text."""
    if text not in ("true", "false"):
        raise ValueError
    return text == "true"


_PLAIN: dict[str, Callable[[str], object]] = {
    "store": str,
    "encoder": Path,
    "catalog_dir": Path,
    "releases_dir": Path,
    "store_map_bytes": int,
    "encoder_threads": int,
    "explorations_per_day": int,
    "encoder_runtime": str,
    "encoder_fallback": _flag,
    "offset_half_life_s": float,
    "offset_prior_impressions": float,
}


def parse(parameters: Mapping[str, str]) -> Config:
    """Parses a model's parameters.

    Raises:
        ConfigError: a parameter is missing, unknown, or outside its range.

    >>> parse({"store": "memory:", "encoder": "/e", "ridge": "0.5"}).fold.ridge
    0.5
    >>> parse({"store": "memory:", "encoder": "/e", "rigde": "0.5"})
    Traceback (most recent call last):
    ...
    penchant.domain.errors.ConfigError: rigde: unknown setting, expected one of: catalog_dir, ...
    """
    fold_types = typing.get_type_hints(FoldSettings)
    known = sorted({*_PLAIN, *fold_types, "signals"})
    plain: dict[str, object] = {}
    fold: dict[str, object] = {}
    for name, text in parameters.items():
        if name in TRITON_PARAMETERS:
            continue
        if name == "signals":
            plain[name] = _signals(text)
        elif name in _PLAIN:
            plain[name] = _convert(name, text, _PLAIN[name])
        elif name in fold_types:
            fold[name] = _convert(name, text, fold_types[name])
        else:
            raise ConfigError(f"{name}: unknown setting, expected one of: {', '.join(known)}")
    for name in ("store", "encoder"):
        if name not in plain:
            raise ConfigError(f"{name}: missing; set it in the model's config.pbtxt parameters")
    return Config(**plain, fold=FoldSettings(**fold), fixed=frozenset(fold))  # type: ignore[arg-type]


def catalog_directory(config: Config) -> Path | None:
    """The directory of the catalog's files; None for a store in memory without `catalog_dir`."""
    return config.catalog_dir or _beside_store(config, "catalog")


def releases_directory(config: Config) -> Path | None:
    """The directory of the releases; None for a store in memory without `releases_dir`."""
    return config.releases_dir or _beside_store(config, "releases")


def _beside_store(config: Config, name: str) -> Path | None:
    engine, _, place = config.store.partition(":")
    return Path(place) / name if engine == "lmdb" else None


def _convert(name: str, text: str, kind: Callable[[str], object]) -> object:
    try:
        return kind(text)
    except ValueError:
        expected = "true or false" if kind is _flag else kind.__name__
        raise ConfigError(f"{name}: got {text!r}, expected {expected}") from None


def _signals(text: str) -> SignalTable:
    expected = 'a JSON object like {"like": {"reward": 1.0}}'
    if not text.lstrip().startswith("{"):
        return named_signals(text)
    try:
        table = json.loads(text)
        return {name: Signal(**row) for name, row in table.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(f"signals: {error}; expected {expected}") from None
