"""What a refresh has learnt of the score's weights, and how it says so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from penchant.domain.long_tail import FEW, TAIL_SETTINGS
from penchant.domain.objective import Objective
from penchant.domain.signal_weights import read_signal_weights, write_signal_weights
from penchant.refresh.direct_search import TOP
from penchant.refresh.item_popularity import POPULARITY_HALF_LIVES_S
from penchant.refresh.tail_search import SEEN
from penchant.refresh.young_users import YOUNG

LEAST_RANKINGS = 30
"""Rankings below which the settings stay as they are."""

ITEM_WEIGHTS_PRIOR = 60.0
"""Weight of a neighbour by regression before anything is learnt, relative to co-occurrence."""


@dataclass(frozen=True, slots=True)
class LearntWeights:
    """The weights of the score that the held-out events suggest."""

    settings: dict[str, float] = field(default_factory=dict)
    """Settings of the fold that were learnt; empty: too few events."""
    near: float = 1.0
    """Factor of the neighbours by co-occurrence in the neighbour table."""
    item_weights: float = ITEM_WEIGHTS_PRIOR
    """Factor of the neighbours by regression in the neighbour table."""
    transitions: float = 0.0
    """Factor of what is liked next in the neighbour table; 0 before anything is learnt."""
    successors: float = 0.0
    """Factor of what is liked right after in the neighbour table; 0 before anything is learnt."""
    opening: float = 1.0
    """Factor of the items that users begin with."""
    opening_popularity: tuple[float, ...] = (0.0,) * len(POPULARITY_HALF_LIVES_S)
    """Factors of the popularities (`POPULARITY_HALF_LIVES_S`) in what strangers see."""
    young: tuple[float, float] | None = None
    """NDCG@10 of young users without and with those factors; None: they stayed as they were."""
    popularity: float = 0.0
    """Weight of an item's popularity as of the refresh, beside its live offset."""
    popularity_half_life_s: float = POPULARITY_HALF_LIVES_S[0]
    """Seconds after which a like counts half in that popularity."""
    offset_half_lives_s: tuple[float, float] = (0.0, 0.0)
    """Of the items' counters, and of the live offsets made of them, in seconds; zeros: unknown."""
    rankings: int = 0
    """Held-out rankings that the weights were learnt from."""
    ndcg: float = 0.0
    """Their NDCG@10 under these weights."""
    without: dict[str, float] = field(default_factory=dict)
    """Their NDCG@10 without each part that has a weight."""
    repeats: tuple[float, float] | None = None
    """NDCG@10 over all items without and with repeats; None: repeats have no weight."""
    objective: Objective = field(default_factory=Objective)
    """The signals that the weights were learnt for."""
    signals: dict[str, float] = field(default_factory=dict)
    """Factors of events' weights by signal; 1 for a signal that is not named."""
    dropped: tuple[str, ...] = ()
    """Signals whose likes vectors and neighbours were not made of."""
    signals_gain: tuple[float, float] | None = None
    """NDCG@10 of the objective without and with the factors; None: there are none."""
    segments: dict[str, float] = field(default_factory=dict)
    """Factors of popularity by segment, by key of the context; others count nothing."""
    segments_gain: tuple[float, float] | None = None
    """NDCG@10 of strangers without and with the segments; None: none count."""
    tail: tuple[float, float] | None = None
    """Recall@50 of items with few events without and with weights of their own; None: none."""

    @property
    def offsets_are_faster(self) -> bool:
        """Whether the live offsets fade faster than the counters."""
        counters_s, offsets_s = self.offset_half_lives_s
        return offsets_s < counters_s

    @property
    def weighs_tail(self) -> bool:
        """Whether items with few events have weights of their own."""
        return any(self.settings.get(name) for name in TAIL_SETTINGS)

    @property
    def settings_json(self) -> str:
        """The settings as a JSON object."""
        found: dict[str, float | str] = {**self.settings}
        if self.signals:
            found["signal_weights"] = write_signal_weights(self.signals)
        return json.dumps(found, sort_keys=True)

    @property
    def sentence(self) -> str:
        """The choice, and the gain of each part, in plain words."""
        parts = (
            self.objective.sentence,
            self._of_signals,
            self._of_parts,
            self._of_segments,
            self._of_tail,
        )
        return " ".join(filter(None, parts))

    @property
    def _of_segments(self) -> str:
        if self.segments_gain is None:
            return ""
        before, after = self.segments_gain
        return (
            f"What people with the same {', '.join(self.segments)} like counts for users with few "
            f"events; that raises NDCG@{TOP} of strangers {_from_to(before, after)}."
        )

    @property
    def _of_tail(self) -> str:
        if self.tail is None:
            return ""
        before, after = self.tail
        return (
            f"Items with fewer than {FEW} events have weights of their own; that raises "
            f"recall@{SEEN} of them {_from_to(before, after)}."
        )

    @property
    def _of_signals(self) -> str:
        if self.signals_gain is None:
            return ""
        named = ", ".join(f"{name} {_times(factor)}" for name, factor in self.signals.items())
        before, after = self.signals_gain
        return (
            f"Against the signal table, events weigh otherwise for it: {named}; that raises "
            f"NDCG@{TOP} of held-out events {_from_to(before, after)}."
        )

    @property
    def _of_parts(self) -> str:
        if not self.settings:
            return (
                f"The score's weights stay as they are: {self.rankings} of the latest likes can "
                f"be learnt from, {LEAST_RANKINGS} are needed."
            )
        gains = {name: self.ndcg - without for name, without in self.without.items()}
        ordered = sorted(gains.items(), key=lambda pair: -pair[1])
        parts = ", ".join(f"{name} {round(gain, 3) + 0.0:+.3f}" for name, gain in ordered)
        repeats = ""
        if self.repeats is not None:
            before, after = self.repeats
            repeats = f" Repeats raise that of all items {_from_to(before, after)}."
        young = ""
        if self.young is not None:
            before, after = self.young
            young = (
                f" What strangers see raises that of users with fewer than {YOUNG} events "
                f"{_from_to(before, after)}."
            )
        pace = ""
        if self.offsets_are_faster:
            hours = self.offset_half_lives_s[1] / 3600
            pace = f" Popularity is what is liked now: it halves in {hours:.2g} hours."
        return (
            f"The score's weights were learnt from {self.rankings:,} of the latest likes; "
            f"NDCG@{TOP} of new items is {self.ndcg:.3f}. Each part adds: {parts}."
            f"{pace}{young}{repeats}"
        )


def learnt_settings(settings: Mapping[str, float | str]) -> LearntWeights:
    """The weights that `LearntWeights.settings_json` holds, without the reasons."""
    numbers = {name: value for name, value in settings.items() if not isinstance(value, str)}
    signals = read_signal_weights(str(settings.get("signal_weights", "")))
    return LearntWeights(settings=numbers, signals=signals)


def _from_to(before: float, after: float) -> str:
    """A rise in as few digits as show it.

    >>> _from_to(0.1, 0.2), _from_to(0.0881, 0.0884)
    ('from 0.100 to 0.200', 'from 0.0881 to 0.0884')
    """
    digits = 3 if f"{before:.3f}" != f"{after:.3f}" else 4
    return f"from {before:.{digits}f} to {after:.{digits}f}"


def _times(factor: float) -> str:
    return f"{factor:g} times" if factor else "not at all"
