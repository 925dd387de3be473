"""What people say to the demo's home, and what it answers, as tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from rich.box import SIMPLE_HEAD
from rich.table import Table

from penchant_sdk.home import (
    Action,
    Asked,
    Brightness,
    HomeClient,
    Interpretation,
)


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence, where it is said."""

    text: str
    room: str


SAID = {
    "en": (
        Said("turn on the kitchen light", "living room"),
        Said("set the thermostat to 21.5 degrees", "living room"),
        Said("it's so dark in here", "living room"),
        Said("this light is far too bright", "living room"),
        Said("I'm so cold", "bedroom"),
        Said("let the daylight into the room", "living room"),
        Said("it's stuffy in here", "bedroom"),
        Said("the film is too loud for me", "living room"),
        Said("make the floor lamp warm white", "living room"),
        Said("unlock the front door", "living room"),
        Said("let my brother in", "living room"),
        Said("turn on the oven", "kitchen"),
        Said("what is the capital of Portugal", "kitchen"),
    ),
    "zh-CN": (
        Said("打开厨房灯", "客厅"),
        Said("把吊灯亮度调到30%", "客厅"),
        Said("这里好暗", "客厅"),
        Said("太冷了", "卧室"),
        Said("让阳光照进来", "客厅"),
        Said("解锁前门", "客厅"),
        Said("葡萄牙的首都在哪", "厨房"),
    ),
}
"""By language: exact sentences, free ones, risky ones and one that is none of a home's business."""
DARK = Said("it's so dark in here", "bedroom")
DIM = Action("HassLightSet", "light.bedside", Brightness(percent=20))
READING = Action("HassLightSet", "light.bedside", Brightness(percent=60))


LANGUAGES = {"en": "English", "zh-CN": "Chinese"}


def plain_table(title: str, *columns: str) -> Table:
    """An empty table in the look of the demos."""
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def talk(home: HomeClient, language: str) -> Table:
    """Says every sentence of a language once."""
    table = plain_table(f"Said in {LANGUAGES[language]}", "said", "in", "understood", "it does")
    for said in SAID[language]:
        meant = home.interpret(said.text, user="ann", room=said.room)
        table.add_row(said.text, said.room, _how(meant), _answer(home, meant))
    return table


def habit(home: HomeClient, night: datetime, morning: datetime) -> tuple[Table, bool]:
    """Ann's evenings, and whether each turn went as it should."""
    heading = f'A habit: what "{DARK.text}" does in the bedroom'
    table = plain_table(heading, "so far", "at night", "in the morning", "Bob, at night")
    seen: list[tuple[Action | None, Action | None, Action | None]] = []

    def look(what: str) -> None:
        answers = tuple(
            home.interpret(DARK.text, user=user, room=DARK.room, at=at).best
            for user, at in (("ann", night), ("ann", morning), ("bob", night))
        )
        seen.append((answers[0], answers[1], answers[2]))
        table.add_row(what, *(_best(home, answer) for answer in answers))

    def choose(action: Action) -> None:
        meant = home.interpret(DARK.text, user="ann", room=DARK.room, at=night)
        if meant.best == action:
            home.accepted(meant)
        else:
            home.overridden(meant, by=action)

    look("nothing")
    _repeat(3, lambda: choose(DIM))
    look("Ann dimmed to 20 % instead, three nights")
    _repeat(4, lambda: choose(READING))
    look("then she wanted 60 %, four nights")
    first, formed, changed = (row[0] for row in seen)
    others_same = all(row[1] == seen[0][1] and row[2] == seen[0][2] for row in seen)
    return table, first != DIM and formed == DIM and changed == READING and others_same


def _how(meant: Interpretation) -> str:
    if meant.refused:
        return "refused"
    if meant.exact or not meant.suggestions:
        return "exactly" if meant.exact else "in part"
    return f"freely, {meant.suggestions[0].confidence:.0%}"


def _answer(home: HomeClient, meant: Interpretation) -> str:
    if meant.act is not None:
        return home.describe(meant.act)
    if meant.refused:
        return "nothing"
    risky = meant.suggestions and meant.suggestions[0].asked is Asked.RISKY
    return f"asks ({'risky' if risky else 'unsure'}): {meant.question}"


def _best(home: HomeClient, action: Action | None) -> str:
    return "nothing" if action is None else home.describe(action)


def _repeat(times: int, act: Callable[[], None]) -> None:
    for _ in range(times):
        act()
