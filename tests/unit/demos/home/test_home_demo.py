"""The parts of the home demo in process."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from demos.home.conversation import UTTERANCES, conversation_table, habit_table
from demos.home.home_settings import HOME_SETTINGS
from demos.home.house import house
from demos.home.understanding import OUTSIDE, PARTS, MeasuredPart, draw
from penchant.config import parse
from penchant_sdk.home import HomeClient, Voting
from penchant_sdk.testing import FakePenchant
from tests.support.house import home_server


@pytest.mark.parametrize("language", list(UTTERANCES))
def test_every_sentence_is_answered_and_the_door_stays_shut(language: str) -> None:
    home = HomeClient(FakePenchant(home_server()), language=language)
    home.register(house(language))
    table = conversation_table(home, language)
    assert table.row_count == len(UTTERANCES[language])
    asked = [str(cell) for cell in table.columns[3].cells if str(cell).startswith("asks (risky)")]
    assert asked
    unlock = {"en": "unlock the front door", "zh-CN": "解锁前门"}[language]
    assert any(unlock in question for question in asked)


def test_the_habit_is_shown_row_by_row() -> None:
    home = HomeClient(FakePenchant(home_server()), voting=Voting(refuse_below=0.3))
    home.register(house("en"))
    night, morning = (datetime(2026, 1, 1, hour, tzinfo=UTC) for hour in (23, 8))
    table, _ = habit_table(home, night, morning)
    assert table.row_count == 3
    dimmed = "set the bedside lamp in the bedroom to 20 percent brightness"
    assert list(table.columns[1].cells)[1] == dimmed


def test_the_servers_settings_exist() -> None:
    given = dict(setting.split("=", 1) for setting in HOME_SETTINGS)
    config = parse({**given, "store": "memory:", "encoder": "x"})
    assert "accepted" in config.signals


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    right, confidence = np.array([True] * 8 + [False] * 2), np.linspace(0.5, 1, 10)
    found = [
        MeasuredPart(language, part, right, confidence)
        for language in UTTERANCES
        for part in (*PARTS, OUTSIDE)
    ]
    draw(found, tmp_path / "home.png")
    assert (tmp_path / "home.png").stat().st_size > 10_000
