"""Code that must not type-check: wrong signals, wrong units and missing sessions of games."""

from __future__ import annotations

from datetime import timedelta

from penchant_sdk import AsyncPenchant, Penchant
from penchant_sdk.games import AsyncGameClient, Game, GameClient, Session

games = GameClient(Penchant("localhost:8001"))
s = Session("s1")
games.recommend(user="ann")  # E: call-arg
games.recommend(user="ann", session="s1")  # E: arg-type
games.recommend("ann", session=s)  # E: call-arg
games.recommend(user="ann", session=s, more_like=Game("a", "A"))  # E: arg-type
games.recommend(user="ann", session=s, explore=0.1)  # E: arg-type
games.started(user="ann", game="a")  # E: call-arg
games.clicked(user="ann", game="a", session=s)  # E: attr-defined
games.played(user="ann", game="a", session=s)  # E: call-arg
games.played(user="ann", game="a", session=s, played_for=30)  # E: arg-type
games.played(user="ann", game="a", session=s, minutes=30)  # E: call-arg
games.purchased(user="ann", game="a", session=s, played_for=timedelta(1))  # E: call-arg
games.rated(user="ann", game="a", session=s, stars=4.5)  # E: arg-type
games.rated(user="ann", game="a", session=s, stars=6)  # E: arg-type
games.rated(user="ann", game="a", session=s, stars=0)  # E: arg-type
games.levelled(user="ann", game="a", session=s, level="three")  # E: arg-type
games.shown(user="ann", recommendations=["a"], session=s)  # E: arg-type
games.put_games(["chess"])  # E: list-item
Session("s1", "evening")  # E: arg-type
Game("a", "A", genres="chess")  # E: arg-type
GameClient(AsyncPenchant("localhost:8001"))  # E: arg-type
AsyncGameClient(Penchant("localhost:8001"))  # E: arg-type
