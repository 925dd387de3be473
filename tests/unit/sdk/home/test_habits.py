"""Habits: formed by three acceptances, in their own part of the day, and changed by overrides."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from penchant_sdk import InvalidRequest
from penchant_sdk.home import Action, Brightness, HomeClient
from penchant_sdk.home._actions import actions_of, quantised
from penchant_sdk.testing import FakePenchant
from tests.support.house import HOUSE, home_server

NIGHT, MORNING = (datetime(2026, 1, 1, hour, tzinfo=UTC) for hour in (23, 8))
ON = Action("HassTurnOn", "light.bed")
DIM = Action("HassLightSet", "light.bed", Brightness(percent=20))
BRIGHT = Action("HassLightSet", "light.bed", Brightness(percent=80))
SAID = "turn on the bedside lamp"


@pytest.fixture
def home() -> HomeClient:
    home = HomeClient(FakePenchant(home_server()))
    home.register(HOUSE)
    return home


def best(home: HomeClient, user: str = "ann", at: datetime = NIGHT) -> Action | None:
    return home.interpret(SAID, user=user, room="bedroom", at=at).best


def override(home: HomeClient, by: Action, times: int) -> None:
    for _ in range(times):
        said = home.interpret(SAID, user="ann", room="bedroom", at=NIGHT)
        if said.best == by:
            home.accepted(said)
        else:
            home.overridden(said, by=by)


def test_a_habit_forms_with_the_third_acceptance_and_not_before(home: HomeClient) -> None:
    assert best(home) == ON
    override(home, DIM, 2)
    assert best(home) == ON
    override(home, DIM, 1)
    said = home.interpret(SAID, user="ann", room="bedroom", at=NIGHT)
    assert said.act == DIM
    assert said.suggestions[0].habit


def test_overrides_change_a_habit_back(home: HomeClient) -> None:
    override(home, DIM, 3)
    assert best(home) == DIM
    override(home, ON, 4)
    assert best(home) == ON


def test_a_new_habit_takes_an_old_ones_place(home: HomeClient) -> None:
    override(home, DIM, 3)
    override(home, BRIGHT, 4)
    assert best(home) == BRIGHT


def test_a_habit_is_its_owners_alone(home: HomeClient) -> None:
    override(home, DIM, 3)
    assert best(home, user="bob") == ON


def test_a_value_that_was_said_is_never_changed_by_a_habit(home: HomeClient) -> None:
    override(home, DIM, 3)
    said = home.interpret("set the bedside lamp to 70%", user="ann", room="bedroom", at=NIGHT)
    assert said.act == Action("HassLightSet", "light.bed", Brightness(percent=70))


def test_an_action_undone_is_no_habit(home: HomeClient) -> None:
    override(home, DIM, 3)
    for _ in range(2):
        home.undone(home.interpret(SAID, user="ann", room="bedroom", at=NIGHT))
    assert best(home) == ON


def test_an_override_by_the_same_action_is_refused(home: HomeClient) -> None:
    said = home.interpret(SAID, user="ann", room="bedroom", at=NIGHT)
    with pytest.raises(InvalidRequest, match="other than the one suggested"):
        home.overridden(said, by=ON)


def test_each_action_of_a_home_is_an_item_under_its_own_id() -> None:
    actions = [action for entity in HOUSE for action in actions_of(entity)]
    assert len({action.id for action in actions}) == len(actions)
    assert all(quantised(action) == action for action in actions)
