"""The worlds that a load test can play, by name."""

from __future__ import annotations

from loadtest.ads_world import ADS
from loadtest.games_world import GAMES
from loadtest.homes_world import HOMES
from loadtest.shop_world import SHOP
from loadtest.timed_session import LoadWorld

WORLDS: dict[str, LoadWorld] = {"shop": SHOP, "ads": ADS, "games": GAMES, "homes": HOMES}
"""`--world` to what it plays."""
