"""A small home for tests: two rooms, with entities that may and may not act unasked."""

from __future__ import annotations

from demos.home.home_settings import HOME_SETTINGS
from penchant_sdk.home import Entity
from penchant_sdk.testing import FakeServer

HOUSE = (
    Entity("light.ceiling", "ceiling light", room="living room", floor="ground"),
    Entity("light.lamp", "floor lamp", room="living room", floor="ground"),
    Entity("light.bed", "bedside lamp", room="bedroom", floor="first"),
    Entity("climate.living", "thermostat", room="living room", floor="ground"),
    Entity("media_player.tv", "TV", room="living room", floor="ground", aliases=("telly",)),
    Entity("fan.bed", "tower fan", room="bedroom", floor="first"),
    Entity("cover.left", "left curtain", room="living room", device_class="curtain"),
    Entity("cover.garage", "garage door", device_class="garage"),
    Entity("lock.front", "front door"),
    Entity("valve.water", "water valve"),
    Entity("switch.oven", "oven", room="kitchen"),
    Entity("scene.movie", "movie night"),
    Entity("alarm_control_panel.house", "house alarm"),
)
RISKY = (
    "cover.garage",
    "lock.front",
    "valve.water",
    "switch.oven",
    "scene.movie",
    "alarm_control_panel.house",
)
"""Entities that never act without confirmation."""


def home_server() -> FakeServer:
    """An in-process server with the settings of `docs/clients/home.md`."""
    return FakeServer(settings=dict(setting.split("=", 1) for setting in HOME_SETTINGS))
