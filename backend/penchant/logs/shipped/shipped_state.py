"""The commits of a shipped log: which files count, which rows of them no longer do.

    _log/0000000007.json             commit 7; once it is there, it is made
    _log/0000000007.checkpoint.json  all commits up to 7 in one, so that readers begin here
    _log/0000000007.cursors.parquet  the state versions shipped by user, for the next run

A commit adds files, takes files away, and marks rows of files that earlier commits added. A file
that no commit names is not part of the log: a killed run leaves some, and the next one removes
them. Commits are numbered without gaps, and the one writer of a log holds its store's turn.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from penchant.domain.errors import ConfigError
from penchant.logs.shipped.shipped_place import ShippedPlace

FOLDER = "_log"
FORMAT = 1

_STRAY = re.compile(r"date=[^/]+/part-(\d+)-[^/]+\.parquet|[^/]+/\.[^/]+\.partial")

MarkKind = Literal["forgotten", "moved", "replaced"]


@dataclass(frozen=True, slots=True)
class ShippedMark:
    """A change of rows in files that were added before the mark's commit."""

    kind: MarkKind
    """`forgotten`: the user's rows are gone; `moved`: they are another user's; `replaced`: rows are
    gone, whose new form the same commit added."""
    name: str
    """Of the user, as `name_of` gives it."""
    events: tuple[int, ...] = ()
    """Digests of event ids: the rows that `replaced` takes away, and `moved` instead of moving."""
    to: str = ""
    """`moved`: the user whose rows the others are now."""
    until_us: int | None = None
    """`moved`: rows up to this time are gone."""
    receipt: str = ""
    """`forgotten`: id of the receipt."""
    sequence: int = 0
    """Number of the commit."""


@dataclass(frozen=True, slots=True)
class ShippedFile:
    """A file of rows."""

    name: str
    rows: int
    bytes: int
    first_us: int
    """Time of the earliest event, in microseconds since 1970."""
    last_us: int
    sequence: int
    """Marks of later commits alone apply to its rows."""


@dataclass(frozen=True, slots=True)
class ShippedCommit:
    """One commit."""

    place: str
    """Random id of the log, the same in all its commits."""
    sequence: int
    token: str
    """Random id of the commit, which the store knows, too."""
    at_us: int
    added: tuple[ShippedFile, ...] = ()
    removed: tuple[str, ...] = ()
    marks: tuple[ShippedMark, ...] = ()
    lowered: tuple[tuple[str, int], ...] = ()
    """Names of users, and the state versions that their cursors fell to, before the new rows."""
    next_note: int = 0
    """Position of the first note of the store that no commit has answered; see `notes`."""
    notes: tuple[int, ...] = ()
    """Positions of further notes that are answered. Where several servers write, of all of them
    that may still be in the store."""
    recounting: bool = False
    """Whether cursors are unknown until a later commit says otherwise; see `recount`."""
    rewritten: bool = False
    """Whether it adds no new rows: its files hold those of the files that it removes."""
    losses: int = 0
    """The store's count of lost notes that the cursors account for."""


@dataclass(slots=True)
class ShippedState:
    """A log as of its last commit."""

    place: str = ""
    sequence: int = 0
    token: str = ""
    at_us: int = 0
    files: dict[str, ShippedFile] = field(default_factory=dict)
    """By name."""
    marks: list[ShippedMark] = field(default_factory=list)
    """In their order; those alone that may apply to a file."""
    next_note: int = 0
    notes: tuple[int, ...] = ()
    recounting: bool = False
    losses: int = 0
    checkpoint: int = 0
    """Number of the commit of the last checkpoint; 0: none."""
    since: list[ShippedCommit] = field(default_factory=list)
    """The commits since the checkpoint."""

    @property
    def rows(self) -> int:
        """Rows of all files, those that marks take away included."""
        return sum(file.rows for file in self.files.values())

    def apply(self, commit: ShippedCommit) -> None:
        """Moves on by a commit."""
        for name in commit.removed:
            self.files.pop(name, None)
        self.files |= {file.name: file for file in commit.added}
        self.marks += commit.marks
        oldest = min((file.sequence for file in self.files.values()), default=commit.sequence)
        self.marks = [mark for mark in self.marks if mark.sequence > oldest]
        self.place, self.sequence, self.token = commit.place, commit.sequence, commit.token
        self.at_us, self.next_note = commit.at_us, commit.next_note
        self.notes = commit.notes
        self.recounting, self.losses = commit.recounting, commit.losses
        self.since.append(commit)


def read_state(place: ShippedPlace) -> ShippedState:
    """Reads the commits of a log; an empty state where there is none.

    Raises:
        ConfigError: a commit is missing or can't be read, or is of a newer release.
    """
    for attempt in range(3):
        try:
            return _read_state(place)
        except FileNotFoundError as error:  # A checkpoint has taken its place.
            if attempt == 2:
                raise ConfigError(
                    f"shipped log: {error.filename or error} has gone; is another program deleting "
                    "files there?"
                ) from error
    raise AssertionError


def _read_state(place: ShippedPlace) -> ShippedState:
    names = place.names(FOLDER)
    checkpoints = [name for name in names if name.endswith(".checkpoint.json")]
    state = ShippedState()
    if checkpoints:
        state = _state_of(_parsed(place, checkpoints[-1]))
    commits = sorted(set(names) - set(checkpoints))
    for name in commits:
        number = name.removeprefix(f"{FOLDER}/").removesuffix(".json")
        if not number.isdigit() or int(number) <= state.sequence:
            continue
        commit = _commit_of(_parsed(place, name))
        if commit.sequence != state.sequence + 1 or (state.place and commit.place != state.place):
            raise ConfigError(
                f"shipped log: got commit {commit.sequence} after {state.sequence}, expected "
                f"{state.sequence + 1} of the same log; restore the missing files of {FOLDER}"
            )
        state.apply(commit)
    return state


def write_commit(place: ShippedPlace, commit: ShippedCommit) -> None:
    """Makes a commit; its files must be there. Raises FileExistsError if another has its number."""
    name = f"{FOLDER}/{commit.sequence:010d}.json"
    place.write(name, _json(dataclasses.asdict(commit)), new=True)


def cursors_name(sequence: int) -> str:
    """The name of the cursors' file that goes with a checkpoint."""
    return f"{FOLDER}/{sequence:010d}.cursors.parquet"


def write_checkpoint(place: ShippedPlace, state: ShippedState, cursors: bytes) -> None:
    """Writes all that the commits say in one, and removes those that it makes superfluous."""
    before = place.names(FOLDER)
    place.write(cursors_name(state.sequence), cursors)
    fields = dataclasses.asdict(dataclasses.replace(state, since=[]))
    fields["files"] = list(fields["files"].values())
    fields["checkpoint"] = state.sequence
    mine = f"{FOLDER}/{state.sequence:010d}.checkpoint.json"
    place.write(mine, _json(fields))
    for name in before:
        if name not in (mine, cursors_name(state.sequence)):
            place.delete(name)
    state.checkpoint, state.since = state.sequence, []


def remove_strays(place: ShippedPlace, state: ShippedState, *, dead: bool = True) -> int:
    """Removes the files of rows that no commit names, and unfinished ones; returns their number.

    Args:
        place: of the log.
        state: of the log.
        dead: whether their writer is dead. Else what may belong to the next commit stays.
    """
    found = [(name, _STRAY.fullmatch(name)) for name in place.names()]
    strays = [
        name
        for name, match in found
        if match and name not in state.files and (dead or _is_late(match[1], state))
    ]
    for name in strays:
        place.delete(name)
    return len(strays)


def _is_late(sequence: str | None, state: ShippedState) -> bool:
    """Whether the commit for which a file was written can't be made any more."""
    return sequence is not None and int(sequence) <= state.sequence


def _json(fields: Mapping[str, Any]) -> bytes:
    return json.dumps({"format": FORMAT, **fields}, indent=1).encode()


def _parsed(place: ShippedPlace, name: str) -> dict[str, Any]:
    content = place.read(name)
    try:
        fields: dict[str, Any] = json.loads(content)
        format_ = int(fields.pop("format"))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ConfigError(f"shipped log: {name} can't be read: {error}") from error
    if format_ > FORMAT:
        raise ConfigError(
            f"shipped log: {name} has format {format_}, this release reads up to {FORMAT}: "
            "upgrade it"
        )
    return fields


def _commit_of(fields: dict[str, Any]) -> ShippedCommit:
    try:
        return ShippedCommit(
            **{
                **fields,
                "added": tuple(ShippedFile(**one) for one in fields["added"]),
                "removed": tuple(fields["removed"]),
                "notes": tuple(fields.get("notes", ())),
                "marks": _marks(fields["marks"]),
                "lowered": tuple((name, version) for name, version in fields["lowered"]),
            }
        )
    except (LookupError, TypeError, ValueError) as error:
        raise ConfigError(f"shipped log: a commit can't be read: {error}") from error


def _state_of(fields: dict[str, Any]) -> ShippedState:
    try:
        files = [ShippedFile(**one) for one in fields["files"]]
        named = {file.name: file for file in files}
        marks, notes = list(_marks(fields["marks"])), tuple(fields.get("notes", ()))
        return ShippedState(**{**fields, "files": named, "marks": marks, "notes": notes})
    except (LookupError, TypeError, ValueError) as error:
        raise ConfigError(f"shipped log: a checkpoint can't be read: {error}") from error


def _marks(fields: Sequence[Mapping[str, Any]]) -> tuple[ShippedMark, ...]:
    return tuple(ShippedMark(**{**one, "events": tuple(one["events"])}) for one in fields)
