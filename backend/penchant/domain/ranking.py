"""What is asked of a ranking, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

from penchant.domain.exploration import Exploration
from penchant.domain.types import Context


@dataclass(frozen=True, slots=True)
class RankRequest:
    """See `penchant.v1.RankRequest`."""

    user: str
    k: int
    candidates: tuple[str, ...] | None = None
    query: str = ""
    context: Context = ()
    exclude_seen: bool = False
    exclude_owned: bool = False
    min_state_version: int = 0
    explain: bool = False
    as_of_us: int | None = None
    explore: Exploration | None = None
    diversity: float = 0.0


@dataclass(frozen=True, slots=True)
class Contribution:
    """One past event's share in one score."""

    event_id: str
    item: str
    signal: str
    occurred_at_us: int
    share: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """The parts of a score; offset + slow + fast + near + query = score."""

    offset: float
    slow: float
    fast: float
    near: float
    query: float
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best items, best first."""

    recommendation_id: str
    ids: list[str]
    scores: list[float]
    propensities: list[float] | None
    """None: nothing was explored, so each is 1."""
    propensity_estimated: bool
    explorations_left: int
    explanations: list[Explanation] | None
    unknown_candidates: list[str]
    state_version: int
    catalog_version: int
    encoder_version: str
    cold_start: bool
