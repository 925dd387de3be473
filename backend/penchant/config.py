"""Settings: from the parameters of a Triton model's configuration to one frozen dataclass.

Every parameter is a string in `config.pbtxt`; a name that is not a setting is an error, so that a
typing mistake can't pass as a default. All five models read the same settings.
"""

from __future__ import annotations

import json
import math
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.domain.limits import Limits
from penchant.domain.rewards import Signal, SignalTable
from penchant.domain.settings import FoldSettings
from penchant.domain.signals import named_signals
from penchant.domain.signals.default import DEFAULT_SIGNALS
from penchant.store.base import DEFAULT_MAP_BYTES

TRITON_PARAMETERS = frozenset({"EXECUTION_ENV_PATH"})
"""Parameters that Triton's Python backend reads itself."""


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of a model."""

    store: str
    """Address of the store: `lmdb:/absolute/directory` or `memory:`."""
    encoder: Path
    """The encoder's directory, as `penchant export` writes it."""
    catalog_dir: Path | None = None
    """Where the catalog's files are kept; default: `catalog` inside the LMDB directory."""
    releases_dir: Path | None = None
    """Where releases are kept; default: `releases` inside the LMDB directory."""
    store_map_bytes: int = DEFAULT_MAP_BYTES
    """The most that an LMDB store may hold."""
    encoder_threads: int = 1
    """Threads that the encoder may use."""
    encoder_runtime: str = "auto"
    """tensorrt, onnxruntime, or auto: TensorRT where this machine can run it."""
    encoder_fallback: bool = True
    """Where TensorRT fails later, whether ONNX Runtime goes on in its place."""
    offset_half_life_s: float = 14 * 86400.0
    """An event counts half in its item's offset after this many seconds."""
    offset_prior_impressions: float = 50.0
    """Impressions that an item is credited with before it was ever shown."""
    fold: FoldSettings = field(default_factory=FoldSettings)
    """Each setting of the fold is a parameter of its own, by its name."""
    signals: SignalTable = field(default_factory=lambda: DEFAULT_SIGNALS)
    """As JSON: {"like": {"reward": 1.0}, ...}, or names of tables (`default`, `ads`, `games`,
    `home`), parted by commas; replaces the whole default table."""
    explorations_per_day: int = 50
    """Explored impressions a user and day; 0: rankings that ask for exploration get none."""
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise ConfigError(f"{name}: got {value}, expected more than 0")
        if self.explorations_per_day < 0:
            got = self.explorations_per_day
            raise ConfigError(f"explorations_per_day: got {got}, expected 0 or more")
        if not self.signals:
            raise ConfigError("signals: got an empty table, expected at least one signal")


_POSITIVE = (
    "store_map_bytes",
    "encoder_threads",
    "offset_half_life_s",
    "offset_prior_impressions",
)


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
    """The settings that a model's parameters spell.

    Raises:
        ConfigError: a parameter is missing, unknown, or its value does not fit.

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
    return Config(**plain, fold=FoldSettings(**fold))  # type: ignore[arg-type]


def catalog_directory(config: Config) -> Path | None:
    """Where the catalog's files are; None: nowhere yet (a store in memory)."""
    return config.catalog_dir or _beside_store(config, "catalog")


def releases_directory(config: Config) -> Path | None:
    """Where releases are; None: nowhere (a store in memory)."""
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
