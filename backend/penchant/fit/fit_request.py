"""What a fit is asked, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from penchant.fit.measured import PEERS, MeasuredFit
from penchant.fit.search_space import REFRESH_VALUES
from penchant.fit.trial import FitChoice
from penchant.logs.log_check import LogCheck
from penchant.logs.log_source import LogSource
from penchant.logs.relevance import POSITIVE
from penchant.releases.manifest import Manifest
from penchant.system.option_types import ENCODER_IN_USE, FLAT, OBJECTIVE, Pairs, Repeated


def _default_hits(_: Any) -> str:
    return f"those of the objective, or {POSITIVE}"


_CHOICES = Parameter(group="Choices")
_MAYBE = Parameter(group="Choices", show_default=lambda _: "searched")


@dataclass(frozen=True, slots=True)
class FitRequest:
    """A log, the time, and the choices that the user makes instead of the fit."""

    log: Annotated[LogSource, FLAT] = LogSource()
    output: Path = Path("fitted")
    """Directory to write: the store, the encoder, the report and the settings."""
    minutes: Annotated[float, Parameter(validator=Number(gte=0))] = 10.0
    """Time in minutes; searches end after half of it."""
    trials: Annotated[
        int | None, Parameter(validator=Number(gte=0), show_default="as the time allows")
    ] = None
    """Number of trials, whatever the time, so that equal runs give equal results."""
    seed: Annotated[int, Parameter(validator=Number(gte=0))] = 1
    """Seed of all draws."""
    relevant: Annotated[str, Parameter(metavar="TERM", show_default=_default_hits), _CHOICES] = ""
    """Events that count as a hit: 'rating>=4', 'reward>0.5', signal=purchase."""
    objective: Annotated[str, OBJECTIVE, _CHOICES] = ""
    """Signal to learn for and to judge by; `all`: every event with a positive reward alike."""
    candidates: Annotated[Literal["auto", "unseen", "all"], _CHOICES] = "auto"
    """Items to rank in trials: those new to the user, or all; auto: all if hits are repeats."""
    encoder: Annotated[
        Path | None, ENCODER_IN_USE, Parameter(show_default=lambda _: "made"), _CHOICES
    ] = None
    """Directory of an encoder to use as it is, as `penchant export` writes it."""
    source: Annotated[Path | None, Parameter(show_default="all-MiniLM-L6-v2"), _CHOICES] = None
    """Hugging Face directory of the encoder to make one from."""
    dimensions: Annotated[int, Parameter(validator=Number(gte=1)), _CHOICES] = 64
    """Length of the vectors of an encoder that is made."""
    finetune: Annotated[Literal["auto", "no", "projection", "encoder"], _CHOICES] = "auto"
    """Training to try: none, the projection, or the whole encoder; auto: the projection, if the
    log is long enough."""
    settings: Annotated[Pairs, Parameter(name="--set"), _CHOICES] = ()
    """A setting of the models, which is not searched; repeatable."""
    window: Annotated[int | None, _MAYBE] = None
    """Largest distance at which two likes of a user count as near, in places."""
    text_weight: Annotated[float | None, _MAYBE] = None
    """Weight of two texts' similarity beside co-occurrence."""
    shrinkage: Annotated[float | None, _MAYBE] = None
    """Likes at which an item's own vector weighs as much as its text."""
    peers: Annotated[Repeated, Parameter(name="--peer"), _CHOICES] = PEERS
    """A recommender to measure beside Penchant; repeatable."""

    @property
    def hits(self) -> str:
        """The term that defines a hit: the given one, or the default of the source."""
        return self.relevant or self.log.default_relevance

    @property
    def given_refresh(self) -> Mapping[str, float]:
        """Settings of the refresh that the user gave, by name."""
        given = {name: getattr(self, name) for name in REFRESH_VALUES}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class FitResult:
    """What a fit has made."""

    release: Manifest
    folder: Path
    """Folder of the release."""
    store: str
    """Address of the store beside which the release lies."""
    served: bool
    """Whether a server of that store serves the release; else it is to be published."""
    encoder: Path
    """Directory of the encoder."""
    report: Path
    check: LogCheck
    choice: FitChoice
    template: str
    """The template of the texts; empty: the items' own."""
    settings: Mapping[str, str]
    """Settings of the models that the user gave, by name."""
    measured: MeasuredFit | None
    said: list[str] = field(default_factory=list)
    """All sentences, in order."""
    alarm: str = ""
    """Says that much of the log is left out; empty: little is."""
