"""A conversation with the demo's home, as tables of sentences and answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from rich.table import Table

from demos.demo_tables import demo_table
from demos.home.house import LANGUAGES
from penchant_sdk.home import (
    Action,
    Asked,
    Brightness,
    HomeClient,
    Interpretation,
)


@dataclass(frozen=True, slots=True)
class Utterance:
    """A sentence and the room in which it is said."""

    text: str
    room: str


UTTERANCES = {
    "en": (
        Utterance("turn on the kitchen light", "living room"),
        Utterance("set the thermostat to 21.5 degrees", "living room"),
        Utterance("it's so dark in here", "living room"),
        Utterance("this light is far too bright", "living room"),
        Utterance("I'm so cold", "bedroom"),
        Utterance("let the daylight into the room", "living room"),
        Utterance("it's stuffy in here", "bedroom"),
        Utterance("the film is too loud for me", "living room"),
        Utterance("make the floor lamp warm white", "living room"),
        Utterance("unlock the front door", "living room"),
        Utterance("let my brother in", "living room"),
        Utterance("turn on the oven", "kitchen"),
        Utterance("what is the capital of Portugal", "kitchen"),
    ),
    "zh-CN": (
        Utterance("打开厨房灯", "客厅"),
        Utterance("把吊灯亮度调到30%", "客厅"),
        Utterance("这里好暗", "客厅"),
        Utterance("太冷了", "卧室"),
        Utterance("让阳光照进来", "客厅"),
        Utterance("解锁前门", "客厅"),
        Utterance("葡萄牙的首都在哪", "厨房"),
    ),
}
"""Sentences by language: exact, free and risky commands, and one that no home can answer."""
LAMP = Utterance("turn on the bedside lamp", "bedroom")
"""The sentence that a habit forms for: it leaves the brightness open."""
DIM = Action("HassLightSet", "light.bedside", Brightness(percent=20))
READING = Action("HassLightSet", "light.bedside", Brightness(percent=60))


def conversation_table(home: HomeClient, language: str) -> Table:
    """Says every sentence of a language once; the table shows how it is understood and answered."""
    title = f"A conversation in {LANGUAGES[language]}"
    table = demo_table(title, "sentence", "room", "understood", "answer")
    for said in UTTERANCES[language]:
        meant = home.interpret(said.text, user="ann", room=said.room)
        table.add_row(said.text, said.room, _how(meant), _answer(home, meant))
    return table


def habit_table(home: HomeClient, night: datetime, morning: datetime) -> tuple[Table, bool]:
    """Lets Ann form a habit and change it.

    Args:
        home: client of a registered home.
        night: time of Ann's choices.
        morning: another time, at which her habit must not apply.

    Returns:
        A table of the best action after each stage for Ann at night, for Ann in the morning and for
        Bob, and whether the habit formed, changed and stayed Ann's alone.
    """
    title = f'A habit: the answer to "{LAMP.text}" in the bedroom'
    table = demo_table(title, "so far", "Ann, at night", "Ann, in the morning", "Bob, at night")
    seen: list[tuple[Action | None, Action | None, Action | None]] = []

    def show(stage: str) -> None:
        answers = tuple(
            home.interpret(LAMP.text, user=user, room=LAMP.room, at=at).best
            for user, at in (("ann", night), ("ann", morning), ("bob", night))
        )
        seen.append((answers[0], answers[1], answers[2]))
        table.add_row(stage, *(_best(home, answer) for answer in answers))

    def choose(action: Action) -> None:
        meant = home.interpret(LAMP.text, user="ann", room=LAMP.room, at=night)
        if meant.best == action:
            home.accepted(meant)
        else:
            home.overridden(meant, by=action)

    show("nothing")
    _repeat(3, lambda: choose(DIM))
    show("Ann chose 20 % instead, three nights")
    _repeat(4, lambda: choose(READING))
    show("then she chose 60 %, four nights")
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
