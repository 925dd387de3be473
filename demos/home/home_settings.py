"""How a server is set for a home; `docs/clients/home.md` says why."""

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
"""Settings, as `penchant serve --set` takes them: a score is the reward that the user's own past
in a like room and part of day predicts; what others like does not count."""
