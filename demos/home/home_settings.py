"""Settings of a server for a home; `docs/clients/home.md` gives the reasons."""

from __future__ import annotations

HOME_SETTINGS = (
    "signals=home",
    "context_halvings=16",
    "catalog_weight=0",
    "ridge=1",
    "slow_weight=1",
    "fast_weight=0",
    "near_weight=0",
    "offset_weight=0",
    "half_life_events=30",
)
"""Settings as `penchant serve --set` takes them.

A score is the reward predicted from the user's own events in a similar room and part of the day;
other users' events do not count.
"""
