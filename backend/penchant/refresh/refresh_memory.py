"""What a process that refreshes again and again keeps, so that the next time costs less.

The log is read where it grew (`remembered_log`), and the weights of the score are learnt again once
the log has grown by a quarter: the latest fifth of it, which they are learnt from, is then all new.
The vectors and neighbours are fitted to the whole log each time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from penchant.config import Config
from penchant.refresh.learnt_weights import LearntWeights
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.refresh.remembered_log import RememberedLog

GROWTH = 1.25
"""Factor by which a log grows until weights are learnt again."""


@dataclass(slots=True)
class RefreshMemory:
    """The memory of one process; empty at its start."""

    log: RememberedLog = field(default_factory=RememberedLog)
    _learnt: LearntWeights | None = None
    _events: int = 0
    _under: tuple[RefreshSettings, Config] | None = None

    def weights(
        self, events: int, settings: RefreshSettings, config: Config
    ) -> LearntWeights | None:
        """The weights that still serve a log of so many events; None: learn them again."""
        grown = not self._events <= events < GROWTH * self._events
        return None if grown or (settings, config) != self._under else self._learnt

    def keep(
        self, learnt: LearntWeights, events: int, settings: RefreshSettings, config: Config
    ) -> None:
        """Keeps weights that were learnt from a log of so many events."""
        if learnt.settings or learnt.signals:  # Else it was too short to learn from.
            self._learnt, self._events, self._under = learnt, events, (settings, config)
