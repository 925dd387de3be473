"""The words of games: what goes in and what comes back, all frozen.

>>> chess = Game("gnuchess", "GNU Chess", summary="Plays chess", genres=("board game", "chess"))
>>> chess.to_item().text
'GNU Chess. board game, chess. Plays chess'
>>> Game.from_item(chess.to_item()) == chess
True
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Literal

from google.protobuf.json_format import MessageToJson, Parse, ParseError

from penchant_proto.v1.games_pb2 import Game as GameMessage
from penchant_sdk.errors import InvalidRequest
from penchant_sdk.types import Item

ATTRIBUTE = "games.game"
"""The attribute of an item that holds the game, as proto3 JSON."""
ATTRIBUTE_BYTES = 1_024
"""The most that an attribute holds."""

Stars = Literal[1, 2, 3, 4, 5]
"""A rating: 1 (bad) to 5 (very good)."""


@dataclass(frozen=True, slots=True)
class Game:
    """One game of the catalogue; `proto/penchant/v1/games.proto` is the same for other languages.

    Raises:
        InvalidRequest: no id, no name, or a name of more than one line.
    """

    id: str
    """Names the game for ever. 1 to 256 bytes."""
    name: str
    """What people call it, on one line."""
    summary: str = ""
    """What it is, on one line."""
    description: str = ""
    """What it is, at length."""
    genres: tuple[str, ...] = ()
    """Its kinds, in words that a player would use."""
    tags: tuple[str, ...] = ()
    """Anything else that it is known by; not read by the encoder."""
    homepage: str = ""

    def __post_init__(self) -> None:
        for name in ("id", "name"):
            text = getattr(self, name)
            if not text or "\n" in text:
                raise InvalidRequest(f"game: {name}: got {text!r}, expected one line of text")

    def to_item(self) -> Item:
        """The game as it travels.

        Raises:
            InvalidRequest: what is kept beside the text takes more than 1,024 bytes.
        """
        kept = GameMessage(
            id=self.id,
            name=self.name,
            summary=self.summary,
            genres=self.genres,
            tags=self.tags,
            homepage=self.homepage,
        )
        json = MessageToJson(kept, indent=None, ensure_ascii=False)
        if (size := len(json.encode())) > ATTRIBUTE_BYTES:
            raise InvalidRequest(
                f"game {self.id!r}: name, summary, genres, tags and homepage take {size} bytes, "
                f"expected at most {ATTRIBUTE_BYTES}; shorten the summary or the tags"
            )
        head = ". ".join(part for part in (self.name, ", ".join(self.genres), self.summary) if part)
        text = f"{head}\n\n{self.description}" if self.description else head
        return Item(self.id, text, {"name": self.name, ATTRIBUTE: json})

    @classmethod
    def from_item(cls, item: Item) -> Game:
        """The game of an item; of one that was not put as a game, its id and its text."""
        kept = item.attributes.get(ATTRIBUTE)
        if kept is None:
            return cls(item.id, item.attributes.get("name") or item.id, summary=item.text)
        try:
            message = Parse(kept, GameMessage(), ignore_unknown_fields=True)
        except ParseError as error:
            raise InvalidRequest(
                f"item {item.id!r}: its attribute {ATTRIBUTE} is no game: {error}"
            ) from error
        return cls(
            item.id,
            message.name or item.id,
            summary=message.summary,
            description=item.text.partition("\n\n")[2],
            genres=tuple(message.genres),
            tags=tuple(message.tags),
            homepage=message.homepage,
        )


class PartOfDay(Enum):
    """When somebody plays."""

    NIGHT = "night"
    """0 to 6 o'clock."""
    MORNING = "morning"
    """6 to 12."""
    AFTERNOON = "afternoon"
    """12 to 18."""
    EVENING = "evening"
    """18 to 24."""

    @classmethod
    def of(cls, local: datetime) -> PartOfDay:
        """The part that a player's local time falls in.

        >>> PartOfDay.of(datetime(2026, 1, 1, 20, 30))
        <PartOfDay.EVENING: 'evening'>
        """
        return tuple(cls)[local.hour // 6]


@dataclass(frozen=True, slots=True)
class Session:
    """One sitting of a player: what is done in it tells most of what is wanted in it.

    Raises:
        InvalidRequest: no id, or one that takes more than 128 bytes.
    """

    id: str
    """Names the sitting among its player's. 1 to 128 bytes."""
    part_of_day: PartOfDay | None = None
    """None: not told."""
    device: str = ""
    """Where it is played: "phone", "desk". At most 128 bytes. Empty: not told."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.id.encode()) <= 128:
            raise InvalidRequest(f"session: got {self.id[:64]!r}, expected an id of 1 to 128 bytes")

    @property
    def context(self) -> Mapping[str, str]:
        """What goes along with rankings and events."""
        context = {"session": self.id}
        if self.part_of_day:
            context["part_of_day"] = self.part_of_day.value
        if self.device:
            context["device"] = self.device
        return context


class ReasonKind(Enum):
    """Why a game is in a list."""

    BECAUSE_YOU_PLAYED = "because you played"
    """Events with one game weigh most in it, over a long time."""
    MORE_LIKE = "more like"
    """It is like the game that was asked for, or like what was played last."""
    POPULAR = "popular now"
    """Nothing that the player did speaks for it; others play it."""
    NEW = "something new"
    """The list explored, and nothing that the player did speaks for it."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a game is in a list, for people."""

    kind: ReasonKind
    game: str = ""
    """The id of the game that the reason names; empty: none."""
    text: str = ""
    """A line to show: "because you bought Freeciv"."""
    share: float = 0.0
    """What it adds to the score."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One game with its place earned."""

    game: Game
    position: int
    """1 first."""
    score: float
    """Higher is better; comparable within one list only."""
    reason: Reason
    propensity: float
    """The chance of this game at this place, given those above it; 1 where nothing was explored."""


@dataclass(frozen=True, slots=True)
class Recommendations:
    """A list of games for a player, best first."""

    recommendation_id: str
    """Names the list; send it back with what it leads to."""
    items: tuple[Recommendation, ...]
    cold_start: bool
    """True where nothing is known of the player yet."""
    explored: bool
    """True where the list was drawn to learn more of the player."""
    propensity_estimated: bool
    """True where the propensities are estimates."""

    @property
    def games(self) -> tuple[Game, ...]:
        """The games alone, best first."""
        return tuple(item.game for item in self.items)

    @property
    def ids(self) -> tuple[str, ...]:
        """Their ids, best first."""
        return tuple(item.game.id for item in self.items)
