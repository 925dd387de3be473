"""A need is told as the command that may help, which is asked about, never done."""

from __future__ import annotations

import pytest

from penchant_sdk.home.reading.needs import command_for


@pytest.mark.parametrize(
    ("said", "helps"),
    [
        ("让阳光照进来", "拉开窗帘"),
        ("放点光进来", "拉开窗帘"),
        ("想晒太阳", "拉开窗帘"),
        ("太阳晒死了", "拉上窗帘"),
        ("阳光太刺眼", "拉上窗帘"),
        ("灯太刺眼", "灯调暗"),
        ("邻居看得见我们", "拉上窗帘"),
    ],
)
def test_who_wants_the_sun_is_not_offered_to_shut_it_out(said: str, helps: str) -> None:
    assert command_for(said, "zh-CN") == helps
