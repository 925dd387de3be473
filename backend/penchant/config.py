"""Settings: the parameters of a Triton model's configuration as one frozen dataclass.

Every parameter is a string in `config.pbtxt`. An unknown name is an error: a misspelt setting never
passes for a default. All five models read the same settings.
"""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from penchant.domain.errors import ConfigError
from penchant.domain.limits import Limits
from penchant.domain.objective import ALL_LIKES
from penchant.domain.rewards import SignalTable
from penchant.domain.settings import (
    FOLD_RANGES,
    FROM_0,
    MORE_THAN_0,
    UPDATER_NAMES,
    FoldSettings,
    Range,
)
from penchant.domain.signals import DEFAULT_SIGNALS, as_text, merged_signals, named_signals
from penchant.encoder.base import RUNTIMES
from penchant.store.address import check_address, directory_of, is_network
from penchant.store.base import DEFAULT_MAP_BYTES
from penchant.system.audit_log import AUDIT
from penchant.system.strict_json import read_json

TRITON_PARAMETERS = frozenset({"EXECUTION_ENV_PATH"})
"""Parameters that belong to Triton's Python backend."""


MASKED_TEXTS = ("queries", "all", "off")
"""What `mask_texts` may be."""


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of a model."""

    store: str
    """Address of the store: `lmdb:` and a directory, or `valkey://HOST:PORT/NAMESPACE`; `memory:`
    serves tests only."""
    encoder: Path
    """Directory of the encoder, as `penchant export` writes it."""
    catalog_dir: Path | None = None
    """Directory of the catalog's files. Default: `catalog` inside the LMDB directory, or inside
    `state_dir`."""
    releases_dir: Path | None = None
    """Directory of the releases. Default: `releases` inside the LMDB directory, or inside
    `state_dir`."""
    state_dir: Path | None = None
    """Directory of what a server keeps of its own beside a store in Valkey: the catalog's files,
    releases, audit log. A store in LMDB has a directory, and takes none."""
    catalog_share: str = ""
    """Where the servers of a store in Valkey share the catalog's files: a URL that fsspec
    understands, such as `s3://bucket/path` or `file:///mnt/shared`. Default: the store itself."""
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
    signals: SignalTable = field(default_factory=lambda: DEFAULT_SIGNALS)
    """Signal tables by name (`default`, `ads`, `games`, `home`), separated by commas, or a table
    as JSON: `{"like": {"reward": 1.0}, ...}`. Replaces the default table, or is merged over the
    tables that `"base": "default"` names."""
    objective: str = ""
    """The signal that matters: a refresh learns weights that rank its items first. `all`: every
    event with a positive reward counts alike. Default: the signal that the table weighs most and
    that the log has enough of."""
    explorations_per_day: int = 50
    """Explored impressions per user and 24 hours; 0 turns exploration off."""
    retention_days: float = 0.0
    """Days after which the refresh clock's process deletes an event; 0 keeps all."""
    mask_texts: str = "queries"
    """Free text in which addresses, numbers of accounts and the like are masked before the encoder
    reads it: `queries`, with all texts to encode; `all`, with the texts of items; or `off`."""
    pseudonym_keys: str = ""
    """Where the keys are that turn users' ids into pseudonyms: `file:` and an absolute path, or
    `env:` and the name of a variable. Default: ids are stored as they come."""
    token_keys: Path | None = None
    """File with the public keys that verify callers' tokens (JWKS). Default: no tokens, and every
    caller may do everything."""
    token_issuer: str = "penchant"
    """The issuer (`iss`) that every token must name."""
    token_audience: str = "penchant"
    """The audience (`aud`) that every token must name."""
    tenant_limit: int = 100
    """Tenants that the server holds, at most."""
    tenant_calls_per_s: float = 0.0
    """Calls per second of all callers of a tenant together, for each model; 0: no limit."""
    caller_calls_per_s: float = 0.0
    """Calls per second of one caller, for each model; 0: no limit but that of the caller's
    token."""
    limits: Limits = field(default_factory=Limits)
    """The limits of one call; not a parameter."""
    given: frozenset[str] = field(default=frozenset(), compare=False)
    """Names of the settings that were given, the others being defaults; not a parameter."""

    @property
    def fixed(self) -> frozenset[str]:
        """The settings of the fold that were given, which no refresh or release changes."""
        return self.given & typing.get_type_hints(FoldSettings).keys()

    def __post_init__(self) -> None:
        if self.encoder_runtime not in RUNTIMES:
            expected = ", ".join(RUNTIMES)
            raise ConfigError(
                f"encoder_runtime: got {self.encoder_runtime!r}, expected one of: {expected}"
            )
        for name, allowed in RANGES.items():
            allowed.check(name, getattr(self, name))
        if self.objective not in ("", ALL_LIKES, *self.signals):
            known = ", ".join(sorted(self.signals))
            raise ConfigError(
                f"objective: got {self.objective[:64]!r}, expected {ALL_LIKES} or one of: {known}"
            )
        if self.mask_texts not in MASKED_TEXTS:
            raise ConfigError(
                f"mask_texts: got {self.mask_texts[:64]!r}, expected one of: "
                f"{', '.join(MASKED_TEXTS)}"
            )
        kind, _, place = self.pseudonym_keys.partition(":")
        absolute = kind == "file" and place.startswith("/")
        if self.pseudonym_keys and not absolute and not (kind == "env" and place):
            raise ConfigError(
                f"pseudonym_keys: got {self.pseudonym_keys[:64]!r}, expected file: and an absolute "
                "path, or env: and the name of a variable"
            )
        for name in ("token_issuer", "token_audience"):
            if not getattr(self, name):
                raise ConfigError(f"{name}: got nothing, expected what tokens must name")
        if not self.signals:
            raise ConfigError("signals: got an empty table, expected at least one signal")


RANGES: Mapping[str, Range] = {
    "store_map_bytes": MORE_THAN_0,
    "encoder_threads": MORE_THAN_0,
    "offset_half_life_s": MORE_THAN_0,
    "offset_prior_impressions": MORE_THAN_0,
    "explorations_per_day": FROM_0,
    "retention_days": FROM_0,
    "tenant_limit": MORE_THAN_0,
    "tenant_calls_per_s": FROM_0,
    "caller_calls_per_s": FROM_0,
}
"""The range of each numeric setting that is not the fold's."""


_RULES = {
    "updater": f"one of {', '.join(UPDATER_NAMES)}",
    "encoder_runtime": f"one of {', '.join(RUNTIMES)}",
    "encoder_fallback": "true or false",
    "signals": "table names or JSON",
    "store": "lmdb: and a directory, or valkey://HOST:PORT/NAMESPACE",
    "catalog_share": "a URL, or nothing",
    "signal_weights": "a JSON object from signal to factor",
    "objective": "a signal, `all`, or nothing",
    "mask_texts": "one of queries, all, off",
    "pseudonym_keys": "`file:` and a path, `env:` and a name, or nothing",
    "token_keys": "a JWKS file, or nothing",
    "token_issuer": "a text",
    "token_audience": "a text",
}
"""Ranges of the settings that are not numbers; the other ones are directories."""


def allowed(name: str) -> str:
    """The range of a setting, for people."""
    return str(RANGES.get(name) or FOLD_RANGES.get(name) or _RULES.get(name, "a directory"))


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
    "state_dir": lambda text: Path(text) if text else None,
    "catalog_share": str,
    "store_map_bytes": int,
    "encoder_threads": int,
    "objective": str,
    "retention_days": float,
    "mask_texts": str,
    "pseudonym_keys": str,
    "explorations_per_day": int,
    "encoder_runtime": str,
    "encoder_fallback": _flag,
    "offset_half_life_s": float,
    "offset_prior_impressions": float,
    "token_keys": lambda text: Path(text) if text else None,
    "token_issuer": str,
    "token_audience": str,
    "tenant_limit": int,
    "tenant_calls_per_s": float,
    "caller_calls_per_s": float,
}


def setting_names() -> tuple[str, ...]:
    """The name of every setting, in the order of the reference."""
    return (*_PLAIN, "signals", *typing.get_type_hints(FoldSettings))


def kind_of(name: str) -> type:
    """The type of a setting's value in a settings file: bool, int, float or str."""
    if name == "encoder_fallback":
        return bool
    kind = typing.get_type_hints(FoldSettings).get(name) or _PLAIN.get(name, str)
    return kind if isinstance(kind, type) and kind in (int, float) else str


def unknown_setting(name: str) -> ConfigError:
    """The error for a name that is no setting, with the nearest one."""
    near = get_close_matches(name, setting_names(), 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    known = ", ".join(sorted(setting_names()))
    return ConfigError(f"{name}: unknown setting, expected one of: {known}{hint}")


def parse(parameters: Mapping[str, str]) -> Config:
    """Parses a model's parameters.

    Raises:
        ConfigError: a parameter is missing, unknown, or outside its range.

    >>> parse({"store": "memory:", "encoder": "/e", "ridge": "0.5"}).fold.ridge
    0.5
    >>> parse({"store": "memory:", "encoder": "/e", "rigde": "0.5"})
    Traceback (most recent call last):
    ...
    penchant.domain.errors.ConfigError: rigde: unknown setting, expected one of: ca...
    """
    fold_types = typing.get_type_hints(FoldSettings)
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
            raise unknown_setting(name)
    for name in ("store", "encoder"):
        if name not in plain:
            raise ConfigError(f"{name}: missing; set it in the model's config.pbtxt parameters")
    _check_store(str(plain["store"]), plain)
    given = frozenset({*plain, *fold})
    return Config(**plain, fold=FoldSettings(**fold), given=given)  # type: ignore[arg-type]  # By `_convert`.


def _check_store(address: str, plain: Mapping[str, object]) -> None:
    check_address(address)
    for name in ("state_dir", "catalog_share"):
        if plain.get(name) and not is_network(address):
            raise ConfigError(
                f"{name}: got {str(plain[name])!r}, expected none: that is for a store in Valkey, "
                "and this one keeps all in its own directory; leave it out"
            )
    share = str(plain.get("catalog_share", ""))
    if share and "://" not in share and not Path(share).is_absolute():
        raise ConfigError(
            f"catalog_share: got {share!r}, expected a URL or an absolute path: every server of "
            "the store opens it from a directory of its own"
        )


def text_of(config: Config, name: str) -> str:
    """A setting as the text of a parameter, the same for the same value; empty for None.

    >>> text_of(parse({"store": "memory:", "encoder": "/e", "ridge": "0.50"}), "ridge")
    '0.5'
    """
    value = value_of(config, name)
    if name == "signals":
        return as_text(config.signals)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def text_in_toml(value: object) -> str:
    """A value of a TOML file as the text of a parameter.

    >>> text_in_toml(True), text_in_toml(6.0), text_in_toml("ads")
    ('true', '6.0', 'ads')
    """
    return str(value).lower() if isinstance(value, bool) else str(value)


def value_of(config: Config, name: str) -> object:
    """The value of a setting by its name."""
    return getattr(config.fold if name in typing.get_type_hints(FoldSettings) else config, name)


def with_settings_of(config: Config, other: Config, chosen: Iterable[str]) -> Config:
    """A configuration with the chosen settings taken from another one."""
    names = frozenset(chosen)
    of_fold = names & typing.get_type_hints(FoldSettings).keys()
    fold: dict[str, Any] = {name: value_of(other, name) for name in of_fold}
    plain = {name: value_of(other, name) for name in names - of_fold}
    changed: dict[str, Any] = {"fold": dataclasses.replace(config.fold, **fold), **plain}
    return dataclasses.replace(config, **changed)


def with_score_weights(config: Config, weights: str) -> Config:
    """A configuration as a server has it while a release with these score weights is served.

    What a refresh learns does not change them, and they do not change what the server was given.

    Args:
        config: the server's settings.
        weights: a JSON object from setting to value.

    Raises:
        ConfigError: an unknown setting, or a value outside its range.

    >>> served = with_score_weights(parse({"store": "memory:", "encoder": "e"}), '{"ridge": 2.0}')
    >>> served.fold.ridge, sorted(served.fixed)
    (2.0, ['ridge'])
    """
    fold = config.fold.overridden([weights], keep=config.fixed)
    return dataclasses.replace(config, fold=fold, given=config.given | json.loads(weights).keys())


def with_offset_half_life(config: Config, half_life_s: float) -> Config:
    """A configuration whose live offsets keep a half-life, in seconds, whatever a log suggests."""
    given = config.given | {"offset_half_life_s"}
    return dataclasses.replace(config, offset_half_life_s=half_life_s, given=given)


def with_asked(config: Config, objective: str) -> Config:
    """A configuration with the objective that a command was given; empty: none.

    Raises:
        ConfigError: the signal table does not hold the signal.
    """
    if not objective:
        return config
    given = config.given | {"objective"}
    return dataclasses.replace(config, objective=objective, given=given)


def catalog_directory(config: Config) -> Path | None:
    """The directory of the catalog's files; None for a store in memory without `catalog_dir`."""
    return config.catalog_dir or _beside_store(config, "catalog")


def releases_directory(config: Config) -> Path | None:
    """The directory of the releases; None for a store in memory without `releases_dir`."""
    return config.releases_dir or _beside_store(config, "releases")


def audit_directory(config: Config) -> Path | None:
    """The directory of the audit log; None for a store in memory, which has none."""
    return _beside_store(config, AUDIT)


def store_directory(config: Config) -> Path | None:
    """The directory of the store, or of what its server keeps beside it; None in memory."""
    return directory_of(config.store) or config.state_dir


def _beside_store(config: Config, name: str) -> Path | None:
    directory = store_directory(config)
    return directory and directory / name


def _convert(name: str, text: str, kind: Callable[[str], object]) -> object:
    try:
        return kind(text)
    except ValueError:
        expected = "true or false" if kind is _flag else kind.__name__
        raise ConfigError(f"{name}: got {text!r}, expected {expected}") from None


def _signals(text: str) -> SignalTable:
    if not text.lstrip().startswith("{"):
        return named_signals(text)
    try:
        table = read_json(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            f'signals: {error}; expected a JSON object like {{"like": {{"reward": 1.0}}}}'
        ) from None
    return merged_signals(table)
