"""Who does the bulk of a job: this process, others of this machine, or the nodes of a Ray cluster.

A job cuts its work into shares, in an order of its own, and gets their results in that order. Each
share is made by a function of a module that remembers nothing of other shares, so that the outcome
is the same to the byte wherever the shares are made, and one whose process died is made again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

from cyclopts import Parameter
from cyclopts.validators import Number

from penchant.system.local_workers import worked_here

_Share = TypeVar("_Share")
_Result = TypeVar("_Result")
_GROUP = "Workers"


@dataclass(frozen=True, slots=True)
class Workers:
    """Where the shares of a job are made."""

    workers: Annotated[int, Parameter(validator=Number(gte=1), group=_GROUP)] = 1
    """Processes that share the work; the result is the same for any number."""
    ray: Annotated[str, Parameter(metavar="ADDRESS", show_default=False, group=_GROUP)] = ""
    """Share the work among the nodes of a Ray cluster instead: HOST:PORT, or `local` for one on
    this machine. --workers then says in how many parts a replay is cut."""

    @property
    def alone(self) -> bool:
        """Whether this process does all the work."""
        return self.workers <= 1 and not self.ray

    @property
    def parts(self) -> int:
        """Parts in which work is cut that costs something in each part."""
        return max(2, self.workers) if self.ray else self.workers

    def worked(
        self, work: Callable[[_Share], _Result], shares: Sequence[_Share]
    ) -> Iterator[_Result]:
        """Yields the results of shares, in their order.

        Args:
            work: a function of a module, without memory of other shares.
            shares: what can be pickled, and so the results.

        Raises:
            ConfigError: processes died again and again, as where memory is short; or Ray is not
                installed, or not to be reached.
        """
        if not self.ray:
            return worked_here(work, shares, self.workers)
        from penchant.system.ray_cluster import worked_on_ray  # Only here: it needs an extra.

        return worked_on_ray(work, shares, self.ray)


ALONE = Workers()
"""This process alone."""
