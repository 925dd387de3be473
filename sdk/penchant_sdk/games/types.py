"""Arguments and results of the game client: games, sessions, lists and their reasons.

>>> chess = Game("gnuchess", "GNU Chess", summary="Plays chess", genres=("board game", "chess"))
>>> chess.to_item().text
'GNU Chess. board game, chess. Plays chess'
>>> Game.from_item(chess.to_item()) == chess
True
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from google.protobuf.json_format import MessageToJson, Parse, ParseError

from penchant_proto.v1.games_pb2 import Game as GameMessage
from penchant_sdk._arguments import instance, text, texts
from penchant_sdk.errors import InvalidRequest
from penchant_sdk.part_of_day import PartOfDay
from penchant_sdk.types import Item

ATTRIBUTE = "games.game"
"""Name of the item attribute that holds the game, as proto3 JSON."""
ATTRIBUTE_BYTES = 1_024
"""Largest value of an attribute."""

Stars = Literal[1, 2, 3, 4, 5]
"""A rating, from 1 (bad) to 5 (very good)."""


@dataclass(frozen=True, slots=True)
class Game:
    """A game of the catalogue; other languages use the message in `penchant/v1/games.proto`.

    Raises:
        InvalidRequest: id or name is empty, or has more than one line.
    """

    id: str
    """Permanent id of the game, 1 to 256 bytes."""
    name: str
    """Title, on one line."""
    summary: str = ""
    """Short description, on one line."""
    description: str = ""
    """Long description."""
    genres: tuple[str, ...] = ()
    """Genres, in words that a player would use."""
    tags: tuple[str, ...] = ()
    """Further keywords; the encoder does not read them."""
    homepage: str = ""

    def __post_init__(self) -> None:
        for name in ("id", "name"):
            line = text(f"game: {name}", getattr(self, name), empty=True)
            if not line or "\n" in line:
                raise InvalidRequest(f"game: {name}: got {line!r}, expected one line of text")
        for name in ("summary", "description", "homepage"):
            text(f"game: {name}", getattr(self, name), empty=True)
        for name in ("genres", "tags"):
            texts(f"game: {name}", getattr(self, name))

    def to_item(self) -> Item:
        """Converts the game to an item of the catalog.

        Raises:
            InvalidRequest: name, summary, genres, tags and homepage exceed 1,024 bytes.
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
        full = f"{head}\n\n{self.description}" if self.description else head
        return Item(self.id, full, {"name": self.name, ATTRIBUTE: json})

    @classmethod
    def from_item(cls, item: Item) -> Game:
        """Converts an item to a game; an item that was not put as one gives its id and text."""
        kept = item.attributes.get(ATTRIBUTE)
        if kept is None:
            return cls(item.id, item.attributes.get("name") or item.id, summary=item.text)
        try:
            message = Parse(kept, GameMessage(), ignore_unknown_fields=True)
        except ParseError as error:
            raise InvalidRequest(
                f"item {item.id!r}: its attribute {ATTRIBUTE} is not a game: {error}"
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


@dataclass(frozen=True, slots=True)
class Session:
    """A player's session; its events say most about the player's current interest.

    Raises:
        InvalidRequest: the id is empty, or exceeds 128 bytes.
    """

    id: str
    """Unique among the player's sessions, 1 to 128 bytes."""
    part_of_day: PartOfDay | None = None
    """None: unknown."""
    device: str = ""
    """The player's device, for example "phone" or "desk". At most 128 bytes. Empty: unknown."""

    def __post_init__(self) -> None:
        text("session: device", self.device, empty=True)
        if self.part_of_day is not None:
            instance("session: part_of_day", self.part_of_day, PartOfDay)
        if not 1 <= len(text("session", self.id, empty=True).encode()) <= 128:
            raise InvalidRequest(f"session: got {self.id[:64]!r}, expected an id of 1 to 128 bytes")

    @property
    def context(self) -> Mapping[str, str]:
        """The context of rankings and events."""
        context = {"session": self.id}
        if self.part_of_day:
            context["part_of_day"] = self.part_of_day.value
        if self.device:
            context["device"] = self.device
        return context


class ReasonKind(Enum):
    """Kinds of reasons for a game in a list."""

    BECAUSE_YOU_PLAYED = "because you played"
    """The player's long-term interest decides, above all events with one game."""
    MORE_LIKE = "more like"
    """The game resembles the requested game, or the one played last."""
    POPULAR = "popular now"
    """The game is popular, and no event of the player speaks for it."""
    NEW = "something new"
    """The list explored, and no event of the player speaks for the game."""


@dataclass(frozen=True, slots=True)
class Reason:
    """The reason for a game in a list, to show to players."""

    kind: ReasonKind
    game: str = ""
    """Id of the game that the reason names. Empty: none."""
    text: str = ""
    """Text to show, for example "because you bought Freeciv"."""
    share: float = 0.0
    """Contribution of the reason to the score."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One game of a list."""

    game: Game
    position: int
    """Position in the list, counted from 1."""
    score: float
    """Higher is better; comparable only within one list."""
    reason: Reason
    propensity: float
    """Probability of this game here, given the games above it; 1 without exploration."""


@dataclass(frozen=True, slots=True)
class Recommendations:
    """A list of games for a player, best first."""

    recommendation_id: str
    """Id of this list; send it with the events that the list leads to."""
    items: tuple[Recommendation, ...]
    cold_start: bool
    """True if the player has no events yet."""
    explored: bool
    """True if the list was drawn at random, to learn more about the player."""
    propensity_estimated: bool
    """True if the propensities are estimates."""

    @property
    def games(self) -> tuple[Game, ...]:
        """Games of the list, best first."""
        return tuple(item.game for item in self.items)

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the games, best first."""
        return tuple(item.game.id for item in self.items)
