"""Home Assistant's sentence templates of one language, and which are kept for which part.

The split is by template: no sentence of a held-out template, and no template's other sentences, is
ever seen in training. Intents of `LEFT_OUT` are trained on in no part: their sentences are the
near misses that a home should refuse when it was taught nothing of them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from penchant.domain.errors import ConfigError

LANGUAGES = ("en", "zh-CN")
LEFT_OUT = ("HassBroadcast", "HassGetWeather", "HassLawnMowerDock", "HassLawnMowerStartMowing")
TRAIN, VALIDATION, HELD_OUT, NEAR = PARTS = ("train", "validation", "held-out", "near")


@dataclass(frozen=True, slots=True)
class Template:
    """One sentence template."""

    key: str
    """Where it stands in Home Assistant's data: intent/block/sentence."""
    intent: str
    text: str
    """In hassil's template language."""
    domains: tuple[str, ...]
    """Of the entities that it may name; empty: any."""
    about: str = ""
    """The one domain that it is about; empty: several, or none."""


def load(language: str) -> tuple[list[Template], dict[str, Any]]:
    """The templates in the order of the data, and the whole data (lists, expansion rules).

    Args:
        language: one of `LANGUAGES`.

    Raises:
        ConfigError: another language, or the package `home-assistant-intents` is missing.
    """
    if language not in LANGUAGES:
        raise ConfigError(f"language: got {language!r}, expected one of {', '.join(LANGUAGES)}")
    try:
        from home_assistant_intents import get_intents
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"home: the package {error.name} is missing; `pip install 'penchant[home]'`"
        ) from error
    data: dict[str, Any] = get_intents(language) or {}
    return [
        Template(f"{intent}/{block}/{place}", intent, text, _domains(group), _about(group))
        for intent, body in data["intents"].items()
        for block, group in enumerate(body["data"])
        for place, text in enumerate(group["sentences"])
    ], data


def split(templates: Sequence[Template], seed: int = 0) -> dict[str, list[Template]]:
    """The parts by name: of each intent a fifth is held out, and a tenth chooses settings.

    An intent needs three templates to have one held out, and six to have one for validation; those
    with fewer are trained on alone. A template's text that stands twice is in one part.

    Args:
        templates: of one language.
        seed: of the draw.
    """
    rng = random.Random(seed)
    parts: dict[str, list[Template]] = {name: [] for name in PARTS}
    for intent in dict.fromkeys(template.intent for template in templates):
        distinct = {t.text: t for t in templates if t.intent == intent}
        own = list(distinct.values())
        if intent in LEFT_OUT:
            parts[NEAR] += own
            continue
        rng.shuffle(own)
        held_out = max(1, round(len(own) / 5)) if len(own) >= 3 else 0
        validation = max(1, round(len(own) / 10)) if len(own) >= 6 else 0
        parts[HELD_OUT] += own[:held_out]
        parts[VALIDATION] += own[held_out : held_out + validation]
        parts[TRAIN] += own[held_out + validation :]
    return parts


def _domains(group: dict[str, Any]) -> tuple[str, ...]:
    wanted = group.get("requires_context", {}).get("domain", [])
    return tuple([wanted] if isinstance(wanted, str) else wanted)


def _about(group: dict[str, Any]) -> str:
    domains = _domains(group)
    fixed = group.get("slots", {}).get("domain")
    return str(fixed or (domains[0] if len(domains) == 1 else ""))
