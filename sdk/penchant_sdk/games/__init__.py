"""Games: recommend games to players, report what they do, and recommend again.

>>> from datetime import timedelta
>>> from penchant_sdk.testing import FakePenchant  # Penchant("localhost:8001") in real life
>>> games, session = GameClient(FakePenchant(signals="games")), Session("evening-1")
>>> put = games.put_games([Game("freeciv", "Freeciv", genres=("strategy",))])
>>> session = Session("s1", part_of_day=PartOfDay.EVENING)
>>> result = games.played(
...     user="ann", game="freeciv", played_for=timedelta(minutes=40), session=session
... )
>>> result.status
<EventStatus.ACCEPTED: 'accepted'>
"""

from __future__ import annotations

from penchant_sdk.games.aio import AsyncGameClient
from penchant_sdk.games.client import GameClient
from penchant_sdk.games.types import (
    Game,
    Reason,
    ReasonKind,
    Recommendation,
    Recommendations,
    Session,
    Stars,
)
from penchant_sdk.part_of_day import PartOfDay
from penchant_sdk.signal_names import GameSignal

__all__ = [
    "AsyncGameClient",
    "Game",
    "GameClient",
    "GameSignal",
    "PartOfDay",
    "Reason",
    "ReasonKind",
    "Recommendation",
    "Recommendations",
    "Session",
    "Stars",
]
