r"""A game launcher on Penchant: recommend, report what the player does, recommend again.

Once: `penchant export --output .penchant/encoder`. Then start a server and put games into it:

    penchant serve --set signals=games --set context_halvings=2 --set fast_weight=4 \
        --set offset_weight=0.1 --set query_weight=20 --set ridge=2
    penchant import games --snapshot

Then run `python examples/games.py [HOST:PORT]`.
"""

from __future__ import annotations

import sys
import uuid
from datetime import datetime, timedelta

from penchant_sdk import Penchant
from penchant_sdk.games import GameClient, PartOfDay, Recommendations, Session


def show(title: str, listed: Recommendations) -> None:
    """Prints a list with its reasons."""
    print(f"\n{title}")
    for item in listed.items:
        genres = ", ".join(item.game.genres)
        print(f"  {item.position:2}. {item.game.name:24} {genres:28} {item.reason}")


def main() -> None:
    """Plays one evening of one player."""
    target = sys.argv[1] if len(sys.argv) > 1 else "localhost:8001"
    with Penchant(target, timeout_s=5.0) as penchant:
        games = GameClient(penchant)
        user = f"player-{uuid.uuid4().hex[:8]}"
        session = Session("evening-1", PartOfDay.of(datetime.now()), device="desk")

        first = games.recommend(user=user, session=session, k=5)
        games.shown(user=user, recommendations=first, session=session)
        show("For a new player", first)

        for game, minutes in (("torcs", 50), ("supertuxkart", 35), ("trigger-rally", 20)):
            games.started(user=user, game=game, session=session)
            games.played(
                user=user, game=game, played_for=timedelta(minutes=minutes), session=session
            )
        games.rated(user=user, game="torcs", stars=5, session=session)
        show("After three races", games.recommend(user=user, session=session, k=5))

        games.purchased(user=user, game="torcs", session=session)
        owned = games.recommend(user=user, session=session, k=5, diversity=0.5)
        show("With TORCS bought and more diversity", owned)
        assert "torcs" not in owned.ids

        alike = games.recommend(user=user, session=session, k=5, more_like="gnuchess")
        show("More like gnuchess", alike)


if __name__ == "__main__":
    main()
