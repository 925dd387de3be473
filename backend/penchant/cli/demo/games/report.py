"""What `penchant demo-games` says at its end: tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from penchant.cli.demo.games.knob import Turned
from penchant.cli.demo.games.picture import Shares
from penchant.cli.demo.games.switch import Switch
from penchant.cli.demo.metrics import percentile
from penchant_sdk.games import Recommendation, Recommendations


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


def story_table(switch: Switch, names: Mapping[str, str]) -> Table:
    """One player's list before and after three events of a new taste."""
    first, new = switch.player.first, switch.player.later[1]
    played = ", ".join(names[game] for game in switch.played)
    table = _table(
        f"A player of {first[0]} and {first[1]} turns to {new}: {played}, 40 minutes each"
    )
    table.add_column("", justify="right", style="dim")
    table.add_column("before", overflow="fold", ratio=2)
    table.add_column("after three events", overflow="fold", ratio=2)
    table.add_column("why", overflow="fold", ratio=3)
    before, after = switch.lists[0], switch.lists[-1]
    for place in range(max(len(before.items), len(after.items))):
        one = _at(after, place)
        table.add_row(
            str(place + 1),
            _named(_at(before, place), new),
            _named(one, new),
            Text(one.reason.text if one else ""),
        )
    return table


def _at(listed: Recommendations, place: int) -> Recommendation | None:
    return listed.items[place] if place < len(listed.items) else None


def _named(one: Recommendation | None, new: str) -> Text:
    """A game with its kinds; bold where it is of the new kind."""
    if one is None:
        return Text("")
    style = "bold" if new in one.game.genres else ""
    return Text.assemble((one.game.name, style), (f" ({', '.join(one.game.genres)})", "dim"))


def _table(title: str) -> Table:
    return Table(
        title=Text(title, style="bold"), title_justify="left", box=SIMPLE, padding=(0, 1, 0, 0)
    )
