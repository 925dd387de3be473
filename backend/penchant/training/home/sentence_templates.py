"""Home Assistant's sentence templates of one language, split into parts.

The split is by template: training never sees a sentence of a held-out template. Intents in
`LEFT_OUT` are never trained on; their sentences are near misses, which a home should refuse.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from penchant.domain.errors import ConfigError
from penchant.system.optional_package import needs_extra

LANGUAGES = ("en", "zh-CN")
LEFT_OUT = ("HassBroadcast", "HassGetWeather", "HassLawnMowerDock", "HassLawnMowerStartMowing")
TRAIN, VALIDATION, HELD_OUT, NEAR = PARTS = ("train", "validation", "held-out", "near")


@dataclass(frozen=True, slots=True)
class Template:
    """A sentence template of Home Assistant."""

    key: str
    """Place in Home Assistant's data: intent/block/sentence."""
    intent: str
    text: str
    """In hassil's template language."""
    domains: tuple[str, ...]
    """Domains of the entities it may name; empty: any."""
    about: str = ""
    """The single domain it is about; empty: several, or none."""


def load_templates(language: str) -> tuple[list[Template], dict[str, Any]]:
    """Loads the templates in the order of the data, and the data with its lists and rules.

    Args:
        language: one of `LANGUAGES`.

    Raises:
        ConfigError: the language is another one, or `home-assistant-intents` is not installed.
    """
    if language not in LANGUAGES:
        raise ConfigError(f"language: got {language!r}, expected one of {', '.join(LANGUAGES)}")
    with needs_extra("home", "home"):
        from home_assistant_intents import get_intents
    data: dict[str, Any] = get_intents(language) or {}
    return [
        Template(f"{intent}/{block}/{place}", intent, text, _domains(group), _about(group))
        for intent, body in data["intents"].items()
        for block, group in enumerate(body["data"])
        for place, text in enumerate(group["sentences"])
    ], data


def split_templates(templates: Sequence[Template], seed: int = 0) -> dict[str, list[Template]]:
    """Splits the templates of each intent: a fifth is held out, and a tenth is for validation.

    An intent needs three templates to have one held out, and six to have one for validation; all
    templates of an intent with fewer are trained on. Templates of equal text count once.

    Args:
        templates: templates of one language.
        seed: seed of the draw.

    Returns:
        The templates by part, one of `PARTS`.
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
