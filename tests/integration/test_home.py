"""The smart home on a real Triton: a habit forms, stays in its part of the day, and changes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from demos.home.home_settings import HOME_SETTINGS
from penchant.launch import Server
from penchant.launch.model_parameters import gather
from penchant_sdk import Penchant
from penchant_sdk.home import Action, Brightness, HomeClient
from tests.integration.conftest import TIMEOUT_S
from tests.support.house import HOUSE
from tests.support.served import served

pytestmark = pytest.mark.server

SAID = "turn on the bedside lamp"
NIGHT, MORNING = (datetime(2026, 1, 1, hour, tzinfo=UTC) for hour in (23, 8))
ON = Action("HassTurnOn", "light.bed")
DIM = Action("HassLightSet", "light.bed", Brightness(percent=20))
READING = Action("HassLightSet", "light.bed", Brightness(percent=60))


def test_habits_form_by_three_acceptances_and_change_by_overrides(
    encoder: Path, tmp_path: Path
) -> None:
    settings = gather(f"lmdb:{tmp_path / 'store'}", encoder, HOME_SETTINGS)
    with (
        served(Server(tmp_path / "server", settings)) as server,
        Penchant(server.target, timeout_s=TIMEOUT_S) as penchant,
    ):
        home = HomeClient(penchant)
        home.register(HOUSE)

        def best(user: str = "ann", at: datetime = NIGHT) -> Action | None:
            return home.interpret(SAID, user=user, room="bedroom", at=at).best

        def choose(action: Action, times: int) -> None:
            for _ in range(times):
                said = home.interpret(SAID, user="ann", room="bedroom", at=NIGHT)
                if said.best == action:
                    home.accepted(said)
                else:
                    home.overridden(said, by=action)

        assert best() == ON
        choose(DIM, 2)
        assert best() == ON
        choose(DIM, 1)
        assert best() == DIM
        assert best(at=MORNING) == ON
        assert best(user="bob") == ON
        choose(READING, 4)
        assert best() == READING
        choose(ON, 4)
        assert best() == ON
        door = home.interpret("unlock the front door", user="ann", room="bedroom", at=NIGHT)
        assert door.act is None
        assert door.question == "Shall I unlock the front door?"
