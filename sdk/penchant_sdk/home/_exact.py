"""Matches exact sentences: those of Home Assistant's own templates, by hassil.

The templates are parsed and the home's names listed only once. Repeated sentences are answered from
a small cache.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from penchant_sdk.errors import InvalidRequest
from penchant_sdk.home._frames import Frame
from penchant_sdk.home._index import TemplateIndex
from penchant_sdk.home._slots import parameter_of
from penchant_sdk.home.types import Entity

try:
    from hassil.intents import Intents, SlotList, TextSlotList
    from hassil.recognize import RecognizeResult, recognize_all
    from home_assistant_intents import get_intents
except ModuleNotFoundError as error:  # pragma: no cover - the extra is part of `dev`.
    raise ModuleNotFoundError(
        f"penchant_sdk.home needs the package {error.name}: pip install 'penchant[home]'"
    ) from error

CACHED = 4096
"""Size of the least-recently-used cache, in sentences."""


class ExactMatcher:
    """Matches sentences in one language about one home."""

    def __init__(self, language: str, entities: Sequence[Entity]) -> None:
        """Parses the templates, which takes about 0.2 s.

        Args:
            language: en or zh-CN.
            entities: the home's entities.

        Raises:
            InvalidRequest: Home Assistant has no templates in the language.
        """
        data = get_intents(language)
        if data is None:
            raise InvalidRequest(f"language: got {language!r}, expected one of Home Assistant's")
        self._lists: dict[str, SlotList] = {
            "name": TextSlotList.from_tuples(
                [
                    (name, name, {"domain": entity.domain})
                    for entity in entities
                    for name in (entity.name, *entity.aliases)
                ],
                allow_template=False,
                name="name",
            ),
            "area": _texts("area", {entity.room for entity in entities} - {""}),
            "floor": _texts("floor", {entity.floor for entity in entities} - {""}),
        }
        self._templates = TemplateIndex(Intents.from_dict(data), self._lists)
        self._known: OrderedDict[tuple[str, bool], Frame | None] = OrderedDict()

    def match(self, text: str, *, in_room: bool) -> Frame | None:
        """The frame of a sentence; None if no template matches. Takes 1 to 3 ms, cached 1 µs.

        Args:
            text: the sentence.
            in_room: whether the speaker's room is known, which "turn on the lights" requires.
        """
        key = (text, in_room)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        frame = self._recognise(text, in_room)
        self._known[key] = frame
        if len(self._known) > CACHED:
            self._known.popitem(last=False)
        return frame

    def _recognise(self, text: str, in_room: bool) -> Frame | None:
        # Some templates require a room in the context; `targets` later decides which one.
        context: dict[str, Any] = {"area": ""} if in_room else {}
        found = [
            result
            for result in recognize_all(
                text,
                self._templates.matching(text),
                slot_lists=self._lists,
                intent_context=context,
            )
            if _is_exact(result)
        ]
        return _frame(max(found, key=_literalness)) if found else None


def _texts(name: str, values: set[str]) -> TextSlotList:
    return TextSlotList.from_strings(sorted(values), allow_template=False, name=name)


def _is_exact(result: RecognizeResult) -> bool:
    """Whether no part matched a wildcard, such as any text at all as the name of a song."""
    return not any(entity.is_wildcard for entity in result.entities_list)


def _literalness(result: RecognizeResult) -> tuple[int, int]:
    """Sort key: the more of a template's own words matched, the more certain its meaning."""
    return result.text_chunks_matched, len(result.entities)


def _frame(result: RecognizeResult) -> Frame:
    slots = {name: entity.value for name, entity in result.entities.items()}
    domain, device_class = slots.get("domain", ""), slots.get("device_class", "")
    wanted = (result.intent_data.requires_context or {}).get("domain", [])
    if not domain and len(wanted) == 1 and isinstance(wanted, list):
        domain = wanted[0]
    intent = result.intent.name
    parameter, valueless = parameter_of(intent, slots)
    return Frame(
        intent,
        kind=f"{domain}.{device_class}" if device_class else domain,
        name=slots.get("name", ""),
        room=slots.get("area", ""),
        floor=slots.get("floor", ""),
        parameter=parameter,
        valueless=valueless,
        change=str(slots.get("volume_step", "")) if parameter is None else "",
        exact=True,
    )
