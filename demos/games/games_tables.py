"""What `penchant demo-games` says at its end: tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from demos.films.film_metrics import percentile
from demos.games.diversity_sweep import Turned
from demos.games.games_charts import Shares
from demos.games.taste_switch import Switch
from penchant_sdk.games import Recommendations


def rounds_table(shares: Mapping[str, Shares], drift_at: int) -> Table:
    """The truly liked share of the top ten, in bands of sessions."""
    sessions = len(next(iter(shares.values())))
    bands = {
        "the first": slice(0, 1),
        f"2–{drift_at}": slice(1, drift_at),
        f"{drift_at + 1}, a taste changed": slice(drift_at, drift_at + 1),
        f"{drift_at + 2}–{sessions}": slice(drift_at + 1, sessions),
    }
    table = _table("Share of the top ten that the player truly likes")
    table.add_column("session")
    for name in shares:
        table.add_column(name, justify="right", style="bold" if name == "Penchant" else "")
    for name, band in bands.items():
        table.add_row(name, *(f"{mine[band].mean():.2f}" for mine in shares.values()))
    return table


def knob_table(turned: Sequence[Turned]) -> Table:
    """The knob of diversity."""
    table = _table("One knob: diversity")
    table.add_column("diversity")
    table.add_column("truly liked", justify="right")
    table.add_column("kinds in the top ten", justify="right")
    for one in turned:
        table.add_row(f"{one.diversity:.1f}", f"{one.liked:.2f}", f"{one.kinds:.1f}")
    return table


def latency_table(recommend_s: Sequence[float], feedback_s: Sequence[float]) -> Table:
    """The latencies of both calls, as this client saw them."""
    table = _table("Latency, one call at a time")
    table.add_column("call")
    for name in ("calls", "p50 ms", "p99 ms"):
        table.add_column(name, justify="right")
    for name, seconds in (
        ("recommend (top 10, with reasons)", recommend_s),
        ("a signal (one event, on disk)", feedback_s),
    ):
        cells = [f"{percentile(seconds, share) * 1e3:.1f}" for share in (0.5, 0.99)]
        table.add_row(name, f"{len(seconds):,}", *cells)
    return table


def story_tables(switch: Switch, names: Mapping[str, str]) -> list[Table]:
    """One player's list with its reasons, before and after the events of a new taste."""
    first, kinds = switch.player.first, (switch.player.later[1], *switch.player.first)
    played = ", ".join(names[game] for game in switch.played)
    return [
        _list_table(f"For a player of {first[0]} and {first[1]}", switch.lists[0], kinds),
        _list_table(f"The same after 40 minutes each of {played}", switch.lists[-1], kinds),
    ]


def _list_table(title: str, listed: Recommendations, kinds: Sequence[str]) -> Table:
    """A list; bold what is of the first of the player's kinds, the new one."""
    table = _table(title)
    table.add_column("", justify="right", style="dim")
    for name in ("game", "kind", "why"):
        table.add_column(name, overflow="fold")
    for item in listed.items:
        genres = item.game.genres
        kind = next((one for one in kinds if one in genres), genres[0])
        style = "bold" if kind == kinds[0] else ""
        cells = [Text(text, style) for text in (item.game.name, kind, item.reason.text)]
        table.add_row(str(item.position), *cells)
    return table


def _table(title: str) -> Table:
    return Table(
        title=Text(title, style="bold"), title_justify="left", box=SIMPLE, padding=(0, 1, 0, 0)
    )
