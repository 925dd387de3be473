"""Tables of the games demo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from demos.demo_tables import demo_table
from demos.games.diversity_sweep import DiversityPoint
from demos.games.taste_switch import TasteSwitch
from penchant.domain.arrays import Float64
from penchant_sdk.games import Recommendations


def sessions_table(shares: Mapping[str, Float64], drift_at: int) -> Table:
    """The truly liked share of the top ten, by groups of sessions.

    Args:
        shares: shares by recommender, each of shape (sessions, players).
        drift_at: index of the first session with the new taste.
    """
    sessions = len(next(iter(shares.values())))
    groups = {
        "the first": slice(0, 1),
        f"2–{drift_at}": slice(1, drift_at),
        f"{drift_at + 1}, a taste changed": slice(drift_at, drift_at + 1),
        f"{drift_at + 2}–{sessions}": slice(drift_at + 1, sessions),
    }
    table = demo_table("Share of the top ten that the player truly likes", "session")
    for name in shares:
        table.add_column(name, justify="right", style="bold" if name == "Penchant" else "")
    for name, group in groups.items():
        table.add_row(name, *(f"{mine[group].mean():.2f}" for mine in shares.values()))
    return table


def diversity_table(points: Sequence[DiversityPoint]) -> Table:
    """Truly liked share and number of genres by diversity."""
    numbers = ("truly liked", "genres in the top ten")
    table = demo_table("One setting: diversity", "diversity", *numbers, numbers=numbers)
    for one in points:
        table.add_row(f"{one.diversity:.1f}", f"{one.liked:.2f}", f"{one.genres:.1f}")
    return table


def switch_tables(switch: TasteSwitch, names: Mapping[str, str]) -> list[Table]:
    """One player's list with its reasons, before the switch and after the last event.

    Args:
        switch: the switch to a new taste.
        names: names of the games by id.
    """
    first, second = switch.player.first
    genres = (switch.player.later[1], first, second)
    played = ", ".join(names[game] for game in switch.played)
    return [
        _list_table(f"For a player of {first} and {second}", switch.lists[0], genres),
        _list_table(f"After 40 minutes each of {played}", switch.lists[-1], genres),
    ]


def _list_table(title: str, listed: Recommendations, genres: Sequence[str]) -> Table:
    """A list of games; those of the first genre are bold."""
    table = demo_table(title)
    table.add_column("", justify="right", style="dim")
    for name in ("game", "genre", "why"):
        table.add_column(name, overflow="fold")
    for item in listed.items:
        genre = next((one for one in genres if one in item.game.genres), item.game.genres[0])
        style = "bold" if genre == genres[0] else ""
        cells = [Text(text, style) for text in (item.game.name, genre, item.reason.text)]
        table.add_row(str(item.position), *cells)
    return table
