"""Steps become values where the hub says how things are; several lights act and learn as one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from penchant_sdk import InvalidRequest
from penchant_sdk.home import (
    Action,
    Brightness,
    BrightnessStep,
    DeviceState,
    Entity,
    HomeClient,
    Temperature,
    Volume,
)
from penchant_sdk.home._risk import is_risky
from penchant_sdk.testing import FakePenchant
from tests.support.house import home_server

NIGHT = datetime(2026, 1, 1, 23, tzinfo=UTC)
LEFT, RIGHT = (
    Entity(f"light.{side}", f"{side} lamp", room="bedroom") for side in ("left", "right")
)
LAMPS = (LEFT.id, RIGHT.id)
HOUSE = (
    LEFT,
    RIGHT,
    Entity("climate.heat", "thermostat", room="bedroom"),
    Entity("media_player.tv", "tv", room="bedroom"),
)
STATES = {
    LEFT.id: DeviceState(on=True, brightness=30),
    RIGHT.id: DeviceState(on=True, brightness=70),
    "climate.heat": DeviceState(celsius=20.5),
    "media_player.tv": DeviceState(volume=95),
}


@pytest.fixture
def home() -> HomeClient:
    client = HomeClient(FakePenchant(home_server()))
    client.register(HOUSE)
    return client


def best(home: HomeClient, text: str, states: dict[str, DeviceState]) -> Action | None:
    return home.interpret(text, user="ann", room="bedroom", at=NIGHT, states=states).act


@pytest.mark.parametrize(
    ("text", "with_states"),
    [
        ("make the left lamp brighter", Action("HassLightSet", LEFT.id, Brightness(50))),
        (
            "make it warmer in here",
            Action("HassClimateSetTemperature", "climate.heat", Temperature(21.5)),
        ),
        ("turn the tv up", Action("HassSetVolume", "media_player.tv", Volume(100))),
    ],
)
def test_a_step_is_added_to_the_state_that_the_hub_passes(
    home: HomeClient, text: str, with_states: Action
) -> None:
    assert best(home, text, STATES) == with_states
    without = best(home, text, {})
    assert without is not None
    assert without.parameter != with_states.parameter


def test_lights_with_different_states_keep_their_step(home: HomeClient) -> None:
    dim = best(home, "dim the lights", STATES)
    assert dim == Action("HassLightSet", parameter=BrightnessStep(-20), entities=LAMPS)


def test_a_habit_forms_for_the_lights_of_a_room_together(home: HomeClient) -> None:
    said = "turn on the lights"
    dim = Action("HassLightSet", parameter=Brightness(20), entities=LAMPS)
    for _ in range(3):
        meant = home.interpret(said, user="ann", room="bedroom", at=NIGHT)
        assert meant.best is not None
        assert meant.best.entities == LAMPS
        home.overridden(meant, by=dim)
    assert best(home, said, {}) == dim
    assert home.describe(dim) == (
        "set the left lamp in the bedroom and the right lamp in the bedroom"
        " to 20 percent brightness"
    )


def test_an_action_knows_its_entities_and_its_id_them(home: HomeClient) -> None:
    one, both = Action("HassTurnOn", LEFT.id), Action("HassTurnOn", entities=LAMPS)
    assert (one.entities, both.entity) == ((LEFT.id,), LEFT.id)
    assert both.id == "home/light.left+light.right/HassTurnOn"
    many = Action("HassTurnOn", entities=tuple(f"light.number_{n}" for n in range(60)))
    assert len(many.id.encode()) < 256
    with pytest.raises(InvalidRequest, match="expected it first"):
        Action("HassTurnOn", RIGHT.id, entities=LAMPS)


def test_one_entity_that_asks_makes_all_of_an_action_ask() -> None:
    client = HomeClient(FakePenchant(home_server()), never_without_confirmation=("right lamp",))
    client.register(HOUSE)
    said = client.interpret("turn on the lights", user="ann", room="bedroom")
    assert is_risky(Action("HassTurnOn", RIGHT.id), RIGHT, ("right lamp",))
    assert (said.act, said.acts) == (None, ())
    assert said.question
