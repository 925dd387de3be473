"""The example's evening, on the fake server."""

from __future__ import annotations

from examples.home import evening
from penchant_sdk.home import HomeClient
from penchant_sdk.testing import FakePenchant
from tests.support.house import home_server


def test_the_lamp_learns_and_the_door_asks() -> None:
    lines = evening(HomeClient(FakePenchant(home_server())), "ann")
    assert lines[0].endswith("home/light.bedside/HassTurnOn")
    assert lines[1].endswith("home/light.bedside/HassLightSet/brightness=20")
    assert lines[-1].endswith("Shall I unlock the front door?")
