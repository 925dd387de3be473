"""The impressions of an event log, each with its answers: the input of off-policy evaluation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from cyclopts import Parameter

from penchant.domain.errors import ConfigError
from penchant.domain.retired_signals import RetiredSignals
from penchant.domain.rewards import SignalTable
from penchant.domain.types import Event
from penchant.launch.model_parameters import DEFAULT_STORE
from penchant.launch.server_store import ServerSettings, open_server_store
from penchant.logs.columns import CONTEXT_PREFIX
from penchant.logs.shipped.shipped_place import folder_of
from penchant.logs.shipped.shipped_source import ShippedSource
from penchant.report.page import check_writable
from penchant.store.base import Store
from penchant.store.users import read_log, scan_user_ids
from penchant.system.apart import check_outside
from penchant.system.durable_file import whole_file
from penchant.system.option_types import FLAT, STORE_IN_USE, Repeated
from penchant.system.progress import Progress, no_progress

COLUMNS = (
    "impression",
    "user",
    "item",
    "reward",
    "propensity",
    "propensity_estimated",
    "position",
    "score",
    "occurred_at",
    "recommendation_id",
)
"""Columns of every file of impressions; those of the contexts follow."""


@dataclass(frozen=True, slots=True)
class ImpressionsRequest:
    """The store to read, and the file to write."""

    _: KW_ONLY
    store: Annotated[str, STORE_IN_USE] = DEFAULT_STORE
    """Store of the server: lmdb:DIRECTORY or valkey://…/NAMESPACE."""
    output: Path
    """File to write: .parquet or .csv."""
    reward: Annotated[
        Repeated,
        Parameter(metavar="SIGNAL", show_default=lambda _: "every signal with a positive reward"),
    ] = ()
    """Signal of an answer that is worth 1; repeatable."""
    settings: ServerSettings = ()
    """A setting, if it is not the one that the server keeps in the store; repeatable."""
    shipped_log: Annotated[ShippedSource, FLAT] = ShippedSource()


@dataclass(frozen=True, slots=True)
class ImpressionsReport:
    """Counts of a file of impressions."""

    impressions: int
    rewarded: int
    """Impressions with a reward of 1."""
    explored: int
    """Impressions with a propensity above 0 and below 1."""
    signals: frozenset[str]
    """Signals of the answers that are worth 1."""
    retired: RetiredSignals = field(default_factory=RetiredSignals)
    """Events that today's signal table has no reward for, which answer nothing."""


def write_impressions(
    request: ImpressionsRequest, progress: Progress = no_progress
) -> ImpressionsReport:
    """Writes the impressions of a store, with their answers, to a file.

    Raises:
        ConfigError: there is no store, it holds no impression, the file can't be written, or a
            signal or a setting is wrong.
        LaunchError: the store's address or a setting can't be read.
    """
    output = request.output
    if output.suffix not in (".parquet", ".csv"):
        raise ConfigError(f"--output: got {output.name}, expected a name in .parquet or .csv")
    check_writable(output, "--output")
    folder = folder_of(request.shipped_log.shipped) if request.shipped_log else None
    if folder is not None:
        check_outside(output, "--output", folder, "the shipped log")
    with open_server_store(request.store, request.settings) as server:
        progress("Reading the log", 0)
        table = server.config.signals
        good = _known(request.reward, sorted(table)) if request.reward else good_signals(table)
        retired = RetiredSignals()
        found = impressions_in(server.store, request.shipped_log, table, retired)
        rows = [one.row(good) for one in found]
    if not rows:
        raise ConfigError(
            "impressions: the log holds none; send an event with the signal `impression` for each "
            "item that was shown, with its position and propensity"
        )
    progress("Writing the file", 0)
    names = dict.fromkeys(name for row in rows for name in row)  # Contexts differ by row.
    columns = pa.table({name: [row.get(name) for row in rows] for name in names})
    with whole_file(output) as file:
        if output.suffix == ".csv":
            pyarrow.csv.write_csv(columns, file)
        else:
            pq.write_table(columns, file)
    rewarded = sum(row["reward"] == 1 for row in rows)
    explored = sum(0 < float(str(row["propensity"])) < 1 for row in rows)
    return ImpressionsReport(len(rows), rewarded, explored, good, retired)


def _known(names: Sequence[str], known: Sequence[str]) -> frozenset[str]:
    for name in names:
        if name not in known:
            raise ConfigError(f"--reward: got {name!r}, expected some of: {', '.join(known)}")
    return frozenset(names)


@dataclass(frozen=True, slots=True)
class AnsweredImpression:
    """An impression with the events that answer it, if any."""

    event: Event
    answers: tuple[Event, ...]

    def reward(self, signals: frozenset[str]) -> float:
        """Returns 1 where one of the signals is among the answers, else 0."""
        return float(any(answer.signal in signals for answer in self.answers))

    def row(self, signals: frozenset[str]) -> dict[str, object]:
        """Returns the impression by `COLUMNS`, and each entry of its context as `context.KEY`."""
        event, exposure = self.event, self.event.exposure
        context = {f"{CONTEXT_PREFIX}{key}": entry for key, entry in event.context}
        return {
            "impression": event.event_id,
            "user": event.user,
            "item": event.item,
            "reward": self.reward(signals),
            "propensity": exposure.propensity if exposure else 0.0,
            "propensity_estimated": exposure is not None and exposure.propensity_estimated,
            "position": exposure.position if exposure else 0,
            "score": exposure.score if exposure else 0.0,
            "occurred_at": event.occurred_at_us / 1e6,
            "recommendation_id": event.recommendation_id,
            **context,
        }


def impressions_of(
    events: Iterable[Event], table: SignalTable, retired: RetiredSignals | None = None
) -> Iterator[AnsweredImpression]:
    """Yields the impressions of one user's events, in their order, with their answers.

    Answers are paired as in the fold: an outcome for the same item answers an impression if it
    names the same recommendation; one of no recommendation, if it comes later. Events with signals
    that the table lacks are neither impressions nor answers; `retired` counts them.
    """
    known = []
    for event in events:
        if event.signal in table:
            known.append(event)
        elif retired is not None:
            retired.resolve(table, event)
    outcomes: defaultdict[str, list[Event]] = defaultdict(list)
    for event in known:
        if table[event.signal].wait_s is None:
            outcomes[event.item].append(event)
    for event in known:
        if table[event.signal].wait_s is not None:
            answers = tuple(one for one in outcomes[event.item] if _answers(one, event))
            yield AnsweredImpression(event, answers)


def _answers(outcome: Event, impression: Event) -> bool:
    if impression.recommendation_id:
        return outcome.recommendation_id == impression.recommendation_id
    return outcome.occurred_at_us >= impression.occurred_at_us


def impressions_in(
    store: Store,
    shipped: ShippedSource,
    table: SignalTable,
    retired: RetiredSignals | None = None,
) -> Iterator[AnsweredImpression]:
    """Yields all users' impressions in a store, or in its shipped log if that is named.

    Of the store, one user's log is in memory at a time.

    Raises:
        ConfigError: the shipped log or a time can't be read.
    """
    shipped.within()
    if shipped:
        for events in shipped.events_by_user(store):
            yield from impressions_of(events, table, retired)
        return
    with store.snapshot() as snapshot:
        for user in scan_user_ids(snapshot):
            of_user = (row.event for row in read_log(snapshot, user))
            yield from impressions_of(of_user, table, retired)


def good_signals(table: SignalTable) -> frozenset[str]:
    """Returns the outcomes with a positive reward of their own: the default rewards of 1.

    >>> from penchant.domain.signals import named_signals
    >>> sorted(good_signals(named_signals("ads")))
    ['click', 'conversion']
    """
    return frozenset(
        name for name, signal in table.items() if signal.wait_s is None and signal.reward > 0
    )
