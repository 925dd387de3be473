"""A conversation agent of Home Assistant: Penchant understands, Home Assistant acts.

Each sentence goes to `AsyncHomeClient.interpret` with the states of the exposed entities. What may
be done at once is done by Home Assistant's own intents; what needs a yes is asked, and the next
sentence answers. An action that was done is accepted; one that the same person replaces within half
a minute is overridden. Habits form from both.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

from homeassistant.components import conversation
from homeassistant.components.homeassistant.exposed_entities import async_should_expose
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import (
    area_registry,
    device_registry,
    entity_registry,
    floor_registry,
    intent,
)

from penchant_sdk import AsyncPenchant, PenchantError
from penchant_sdk.home import Action, AsyncHomeClient, DeviceState, Entity, Interpretation
from penchant_sdk.home.parameters import named_value

DOMAIN = "penchant"
YES = frozenset(
    answer
    for answers in (
        ["yes", "yes please", "yeah", "yep", "sure", "ok", "okay", "do it", "please do"],
        ["是", "是的", "好", "好的", "可以", "对"],
    )
    for answer in answers
)
"""Answers to a question that mean yes; any other is a sentence of its own."""
REPLACED_WITHIN_S = 30.0
SLOTS = {
    "brightness": "brightness",
    "kelvin": "temperature",
    "colour": "color",
    "celsius": "temperature",
    "position": "position",
    "volume": "volume_level",
    "louder": "volume_step",
    "speed": "percentage",
    "room": "area",
}
"""Slots of Home Assistant's intents, by what a parameter of Penchant sets."""


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Connects to the server, and offers the agent."""
    penchant = AsyncPenchant(entry.data["target"], token=entry.data.get("token") or None)
    entry.async_on_unload(penchant.close)
    agent = PenchantAgent(hass, AsyncHomeClient(penchant, language=entry.data["language"]))
    conversation.async_set_agent(hass, entry, agent)
    entry.async_on_unload(lambda: conversation.async_unset_agent(hass, entry))
    return True


async def async_unload_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Takes the agent away; what was learnt stays on the server."""
    return True


@dataclass
class Turn:
    """The last thing that a person said in a conversation."""

    said: Interpretation
    at_s: float


class PenchantAgent(conversation.AbstractConversationAgent):
    """Passes sentences to Penchant, actions to Home Assistant, and feedback back."""

    def __init__(self, hass: HomeAssistant, home: AsyncHomeClient) -> None:
        self._hass = hass
        self._home = home
        self._registered: list[Entity] = []
        self._asked: dict[str, Turn] = {}
        self._done: dict[str, Turn] = {}

    @property
    def supported_languages(self) -> list[str] | Literal["*"]:
        """The languages of the home client."""
        return ["en", "zh-CN"]

    async def async_process(
        self, user_input: conversation.ConversationInput
    ) -> conversation.ConversationResult:
        """Does what a sentence asks for, or asks back."""
        user = user_input.context.user_id or "home"
        try:
            answer, failed = await self._answer(user_input, user)
        except (PenchantError, intent.IntentError) as error:
            answer, failed = str(error), True
        response = intent.IntentResponse(language=user_input.language)
        if failed:
            response.async_set_error(intent.IntentResponseErrorCode.NO_INTENT_MATCH, answer)
        else:
            response.async_set_speech(answer)
        return conversation.ConversationResult(response, user_input.conversation_id or user)

    async def _answer(
        self, user_input: conversation.ConversationInput, user: str
    ) -> tuple[str, bool]:
        await self._register()
        asked = self._asked.pop(user, None)
        if asked and asked.said.best and _plain(user_input.text) in YES:
            return await self._act(user_input, user, asked.said, (asked.said.best,))
        said = await self._home.interpret(
            user_input.text,
            user=user,
            room=self._room(user_input.device_id),
            states={state.entity_id: _device_state(state) for state in self._exposed()},
        )
        if said.acts:
            return await self._act(user_input, user, said, said.acts)
        if said.question:
            self._asked[user] = Turn(said, time.monotonic())
            return said.question, False
        return "I did not understand that.", True

    async def _act(
        self,
        user_input: conversation.ConversationInput,
        user: str,
        said: Interpretation,
        actions: tuple[Action, ...],
    ) -> tuple[str, bool]:
        if not all(action.when.now for action in actions):
            return "I can only act at once.", True
        answers = [await self._perform(user_input, action) for action in actions]
        last = self._done.get(user)
        self._done[user] = Turn(said, time.monotonic())
        if last and self._replaces(last, actions[0]):
            await self._home.overridden(last.said, by=actions[0])
        else:
            await self._home.accepted(said, actions[0])
        return ". ".join(answer for answer in answers if answer), False

    def _replaces(self, last: Turn, action: Action) -> bool:
        before = last.said.best
        recent = time.monotonic() - last.at_s < REPLACED_WITHIN_S
        return bool(recent and before and before.entity == action.entity and before.id != action.id)

    async def _perform(self, user_input: conversation.ConversationInput, action: Action) -> str:
        slots: dict[str, Any] = {}
        if action.parameter is not None:
            name, value = named_value(action.parameter)
            if name not in SLOTS:  # A step whose present value is unknown.
                raise intent.IntentHandleError(f"I do not know how {action.entity} is set now.")
            slots[SLOTS[name]] = {"value": value}
        answer = ""
        for entity in action.entities or ("",):
            named = {"name": {"value": entity}} if entity and entity != "timer.home" else {}
            done = await intent.async_handle(
                self._hass,
                DOMAIN,
                action.intent,
                {**named, **slots},
                user_input.text,
                user_input.context,
                user_input.language,
                assistant=conversation.DOMAIN,
            )
            answer = done.speech.get("plain", {}).get("speech", "")
        return answer or self._home.describe(action)

    async def _register(self) -> None:
        """Registers the home again whenever its names, rooms or entities have changed."""
        entities = [self._entity(state) for state in self._exposed()]
        if entities != self._registered:
            await self._home.register(entities)
            self._registered = entities

    def _exposed(self) -> list[State]:
        return [
            state
            for state in sorted(self._hass.states.async_all(), key=lambda state: state.entity_id)
            if async_should_expose(self._hass, conversation.DOMAIN, state.entity_id)
        ]

    def _entity(self, state: State) -> Entity:
        entry = entity_registry.async_get(self._hass).async_get(state.entity_id)
        area = self._area(entry.area_id or self._area_of(entry.device_id) if entry else None)
        floor = (
            floor_registry.async_get(self._hass).async_get_floor(area.floor_id)
            if area and area.floor_id
            else None
        )
        return Entity(
            state.entity_id,
            state.name,
            room=area.name if area else "",
            floor=floor.name if floor else "",
            aliases=tuple(sorted(entry.aliases)) if entry else (),
            device_class=state.attributes.get("device_class") or "",
        )

    def _room(self, device_id: str | None) -> str:
        area = self._area(self._area_of(device_id))
        return area.name if area else ""

    def _area_of(self, device_id: str | None) -> str | None:
        device = device_registry.async_get(self._hass).async_get(device_id) if device_id else None
        return device.area_id if device else None

    def _area(self, area_id: str | None) -> area_registry.AreaEntry | None:
        return area_registry.async_get(self._hass).async_get_area(area_id) if area_id else None


def _device_state(state: State) -> DeviceState:
    values = state.attributes
    brightness, volume = values.get("brightness"), values.get("volume_level")
    return DeviceState(
        on=None
        if state.state in ("unknown", "unavailable")
        else state.state not in ("off", "closed"),
        brightness=None if brightness is None else 100 * brightness / 255,
        kelvin=values.get("color_temp_kelvin"),
        celsius=values.get("temperature") if state.domain == "climate" else None,
        position=values.get("current_position"),
        volume=None if volume is None else 100 * volume,
        speed=values.get("percentage"),
    )


def _plain(text: str) -> str:
    return text.casefold().strip(" .!,。！")
