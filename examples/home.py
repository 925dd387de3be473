"""A small smart home: one evening with Ann, who dims the lamp, and a door that asks first.

Make the home's encoder and start a server first (`docs/clients/home.md`), then run beside it:

    python examples/home.py localhost:8001
"""

from __future__ import annotations

import sys
from datetime import datetime

from penchant_sdk import Penchant
from penchant_sdk.home import Action, Brightness, Entity, HomeClient

HOUSE = (
    Entity("light.bedside", "bedside lamp", room="bedroom"),
    Entity("light.ceiling", "ceiling light", room="living room"),
    Entity("climate.living", "thermostat", room="living room"),
    Entity("lock.front", "front door"),
)
DIM = Action("HassLightSet", "light.bedside", Brightness(percent=20))


def evening(home: HomeClient, user: str) -> list[str]:
    """Plays the evening; returns one line for each sentence and its answer."""
    home.register(HOUSE)
    tonight = datetime.now().astimezone().replace(hour=23)
    lines = []

    def say(text: str, room: str) -> None:
        said = home.interpret(text, user=user, room=room, at=tonight)
        answer = said.act.id if said.act else said.question or "I did not understand that."
        lines.append(f"{text!r} -> {answer}")

    say("turn on the bedside lamp", "bedroom")
    for _ in range(3):  # On three nights in a row, Ann dims the lamp herself.
        said = home.interpret("turn on the bedside lamp", user=user, room="bedroom", at=tonight)
        home.overridden(said, by=DIM)
    say("turn on the bedside lamp", "bedroom")
    say("set the thermostat to 21.5 degrees", "living room")
    say("it's too dark in here", "living room")
    say("unlock the front door", "living room")
    return lines


def main() -> int:
    """Plays the evening on the server named on the command line."""
    target = sys.argv[1] if len(sys.argv) > 1 else "localhost:8001"
    with Penchant(target, timeout_s=10.0) as penchant:
        print("\n".join(evening(HomeClient(penchant), "ann")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
