"""The example agent in a real Home Assistant, with a real server in the same process.

`make test-homeassistant` runs it in an environment of its own: Home Assistant pins its packages.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from homeassistant import auth, bootstrap, config_entries, core, loader
from homeassistant.components import conversation
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.setup import async_setup_component

HERE = Path(__file__).resolve().parent
CLIENT = HERE.parents[1] / ".venv-homeassistant" / "home"
"""What the home client needs: the last Home Assistant for Python 3.11 pins an older hassil."""

# Home Assistant has loaded its own by now; newer ones have the same as the client.
for _name in [
    one for one in sys.modules if one.split(".")[0] in ("hassil", "home_assistant_intents")
]:
    del sys.modules[_name]
sys.path.insert(0, str(CLIENT))

from penchant_sdk import testing  # noqa: E402  # With the hassil of the line above.

Say = Callable[[str], Awaitable[str]]
LIGHTS = {"kitchen": "kitchen light", "bedside": "bedside lamp"}


@asynccontextmanager
async def talking(directory: Path) -> AsyncIterator[tuple[core.HomeAssistant, Say]]:
    """A Home Assistant with two lights and a lock, the agent in it, and a way to talk to it."""
    (directory / "custom_components").symlink_to(HERE / "custom_components")
    hass = core.HomeAssistant(str(directory))
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    loader.async_setup(hass)
    hass.config.skip_pip = True
    hass.set_state(core.CoreState.running)  # Without its web server.
    await bootstrap.async_load_base_functionality(hass)
    hass.auth = await auth.auth_manager_from_config(hass, [], [])
    await hass.config_entries.async_initialize()
    for component, config in house().items():
        assert await async_setup_component(hass, component, {component: config}), component
    await hass.async_block_till_done()
    for state in hass.states.async_all(["light", "lock"]):
        async_expose_entity(hass, conversation.DOMAIN, state.entity_id, True)
    entry = config_entries.ConfigEntry(
        version=1,
        minor_version=1,
        domain="penchant",
        title="Penchant",
        data={"target": "localhost:1", "language": "en"},
        source="user",
    )
    await hass.config_entries.async_add(entry)
    await hass.async_block_till_done()
    assert entry.state is config_entries.ConfigEntryState.LOADED
    ann = await hass.auth.async_create_system_user("ann", group_ids=["system-admin"])

    async def say(text: str) -> str:
        result = await conversation.async_converse(
            hass, text, None, core.Context(user_id=ann.id), "en", agent_id=entry.entry_id
        )
        await hass.async_block_till_done()
        return str(result.response.speech["plain"]["speech"])

    try:
        yield hass, say
    finally:
        await hass.async_stop(force=True)


def house() -> dict[str, Any]:
    """The configuration of the home, by component in the order of set-up."""
    return {
        "homeassistant": {},
        "intent": {},
        "conversation": {},
        "input_boolean": {key: {} for key in (*LIGHTS, "lock")},
        "light": {"platform": "template", "lights": {key: light(key) for key in LIGHTS}},
        "lock": {
            "platform": "template",
            "name": "front door",
            "value_template": "{{ is_state('input_boolean.lock', 'on') }}",
            "lock": switch("on", "lock"),
            "unlock": switch("off", "lock"),
        },
    }


def light(key: str) -> dict[str, Any]:
    """A light that is on when its input is."""
    return {
        "friendly_name": LIGHTS[key],
        "value_template": f"{{{{ is_state('input_boolean.{key}', 'on') }}}}",
        "turn_on": switch("on", key),
        "turn_off": switch("off", key),
    }


def switch(to: str, key: str) -> dict[str, Any]:
    """The service call that switches an input."""
    return {"service": f"input_boolean.turn_{to}", "target": {"entity_id": f"input_boolean.{key}"}}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> testing.AsyncFakePenchant:
    """The server that the agent connects to."""
    running = testing.AsyncFakePenchant(signals="home")
    monkeypatch.setattr("penchant_sdk.AsyncPenchant", lambda target: running)
    return running


def test_home_assistant_does_what_is_said_and_asks_before_a_door(
    tmp_path: Path, server: testing.AsyncFakePenchant
) -> None:
    """An evening: what is safe is done, what is forbidden not, and a door waits for a yes."""

    async def evening() -> list[str]:
        async with talking(tmp_path) as (hass, say):

            def states() -> list[str]:
                names = ("light.kitchen", "light.bedside", "lock.front_door")
                return [hass.states.get(name).state for name in names]

            answers = [await say("switch on the kitchen light")]
            assert states() == ["on", "off", "unlocked"]
            answers.append(await say("do not turn off the kitchen light"))
            assert states() == ["on", "off", "unlocked"]
            answers.append(await say("turn off the kitchen light and turn on the bedside lamp"))
            assert states() == ["off", "on", "unlocked"]
            answers.append(await say("lock the front door"))
            assert states() == ["off", "on", "unlocked"]
            answers.append(await say("yes please"))
            assert states() == ["off", "on", "locked"]
            answers.append(await say("what a lovely sunset"))
            assert states() == ["off", "on", "locked"]
            return answers

    answers = asyncio.run(evening())
    assert "front door" in answers[3]
    assert answers[3].endswith("?")
    assert answers[-1] == "I did not understand that."
