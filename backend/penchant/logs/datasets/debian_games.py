"""Selects the games among Debian's packages of section games, and names the kinds of each.

A package is left out by the first of these rules that applies:

1. its section is not `games` of the main archive;
2. its role (debtag `role::`) is not a program, but data, documentation or a plugin;
3. its name marks a part of a game: data, music, levels, server, tools ... (`_PART`), or a family
   of packages that are no games: sayings, emulator cores, add-ons (`_FAMILY`);
4. its summary says that it is no game: emulator, library, server, editor, transitional ...;
5. it is a second build of a game: of one source package, the build with the source's name stays,
   or else the one with the shortest name;
6. neither its tags nor its texts name a kind of game.

The kinds come from the debtags `game::`; without these, from words in the summary and the first
sentence of the description.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from penchant.logs.datasets.debian_control import SECTION, Stanza
from penchant_proto.v1.games_pb2 import Game

DESCRIPTION_LENGTH = 400
"""Characters kept of a description, in whole sentences: an encoder reads some 100 words."""
_SUMMARY_LENGTH = 120

_PART = re.compile(
    r"-(data\S*|common|server|dedicated|dbg|dbgsym|doc|docs|dev|music|sounds?|sfx|levels?|maps?|"
    r"addons?|extras?|plugins?|utils?|tools?|themes?|textures?|graphics|media|misc|"
    r"resources|assets|lib|voices?|l10n|fonts?|examples|bin|speech|speak|images|models|musics|"
    r"editor|launcher|viewer|book|hub|metaserver|high-dpi|high|songs-.*|players.*|pak64|"
    r"(french|german|italian|spanish)|(music|sound|audio|video|input|rsp)-.*|csm)$"
)
_FAMILY = re.compile(
    r"^(fortunes?|tfortunes?|fortune-.*|fortunes-.*|libretro-.*|kodi-.*|minetest-mod-.*|"
    r"mupen64plus.*|python3?-.*|lib.*-java|xscreensaver-.*|games-.*|steam.*|goverlay|gamescope|"
    r"gamemode.*)$"
)
_NO_GAME = re.compile(
    r"\b(emulator|emulation|interpreter for|librar(y|ies)|server|editor|transitional|dummy|"
    r"metapackage|meta-package|debug|data files|game data|converter|front-?end|launcher|plugin|"
    r"compiler|development (environment|framework)|tools? (for|to)|utilit(y|ies)|manager|"
    r"client for the .* network|"
    r"engine for|chess engine|database|screensaver|fonts?|benchmark|client-side mods?)\b",
    re.IGNORECASE,
)

_TAGS = {
    "arcade": "arcade",
    "puzzle": "puzzle",
    "board": "board game",
    "board:chess": "chess",
    "strategy": "strategy",
    "toys": "toy",
    "simulation": "simulation",
    "fps": "first-person shooter",
    "platform": "platformer",
    "tetris": "falling blocks",
    "rpg": "role-playing",
    "rpg:rogue": "roguelike",
    "adventure": "adventure",
    "card": "card game",
    "sport": "sports",
    "sport:racing": "racing",
    "mud": "multi-user dungeon",
    "typing": "typing",
}
_WORDS = {
    "arcade": r"arcade|shoot\w*|shmup|snake|space ?invaders|breakout|pac-?man",
    "puzzle": r"puzzles?|maze|labyrinth|words?|sudoku|sokoban|logic game|mine-?sweeper|mahjongg",
    "board game": r"board game|reversi|othello|checkers|draughts|backgammon|game of go|shogi",
    "chess": r"chess",
    "strategy": r"strategy|conquer|conquest|civili[sz]ation",
    "simulation": r"simulat\w+|tycoon",
    "first-person shooter": r"first[- ]person shooter|fps|deathmatch|doom|quake",
    "platformer": r"platform game|platformer|jump.?n.?run|jump and run",
    "falling blocks": r"tetris|falling blocks?",
    "role-playing": r"role-?playing|rpg",
    "roguelike": r"roguelike|rogue-like|nethack|dungeon",
    "adventure": r"adventure",
    "card game": r"card games?|solitaire|patience|poker|skat",
    "sports": r"sports?|tennis|football|soccer|golf|billiards?|volleyball|bowling",
    "racing": r"rac(e|ing)|rally",
    "typing": r"typing",
}
_KINDS = {kind: re.compile(rf"\b({words})\b", re.IGNORECASE) for kind, words in _WORDS.items()}


def read_games(packages: Iterable[Stanza]) -> list[Game]:
    """Returns the games among packages, by id."""
    sources: defaultdict[str, dict[str, Game]] = defaultdict(dict)
    for package in packages:
        game = _game(package)
        if game is not None:
            sources[_source(package)].setdefault(game.id, game)
    kept = (builds.get(source) or builds[_shortest(builds)] for source, builds in sources.items())
    return sorted(kept, key=lambda game: game.id)


def _game(package: Stanza) -> Game | None:
    """Converts a package to a game; None by rules 1 to 4 and 6."""
    name = package.get("Package", "")
    summary, description = _texts(package)
    tags = [tag.strip() for tag in package.get("Tag", "").split(",") if tag.strip()]
    roles = {tag for tag in tags if tag.startswith("role::")}
    if not name or not summary or package.get("Section") != SECTION:
        return None
    if roles - {"role::program"} or _PART.search(name) or _FAMILY.match(name):
        return None
    if _NO_GAME.search(summary):
        return None
    genres = _genres(tags, summary, description)
    if not genres:
        return None
    kept = [tag for tag in tags if not tag.startswith(("role::", "use::", "game::", "x11::"))]
    return Game(
        id=name,
        name=name,
        summary=summary,
        description=description,
        genres=genres,
        tags=kept,
        homepage=package.get("Homepage", ""),
    )


def _genres(tags: Sequence[str], summary: str, description: str) -> list[str]:
    tagged = (tag.removeprefix("game::") for tag in tags if tag.startswith("game::"))
    genres = [_TAGS[tag] for tag in tagged if tag in _TAGS]
    if genres:
        return list(dict.fromkeys(genres))
    words = f"{summary}. {description.partition('. ')[0]}"
    return [kind for kind, pattern in _KINDS.items() if pattern.search(words)]


def _texts(package: Stanza) -> tuple[str, str]:
    """Returns the summary and the description, each on one line."""
    text = package.get("Description-en") or package.get("Description", "")
    summary, _, long = text.partition("\n")
    sentence = _clipped(" ".join(summary.split()), _SUMMARY_LENGTH)
    return sentence, _clipped(" ".join(long.split()), DESCRIPTION_LENGTH)


def _clipped(text: str, most: int) -> str:
    """Cuts text after the last whole sentence that fits, or else after the last whole word.

    >>> _clipped("One is. Two are more. Three", 22)
    'One is. Two are more.'
    """
    if len(text) <= most:
        return text
    end = text.rfind(". ", 0, most)
    return text[: end + 1] if end > 0 else text[: text.rfind(" ", 0, most)]


def _source(package: Stanza) -> str:
    return package.get("Source", package.get("Package", "")).partition(" ")[0]


def _shortest(names: Iterable[str]) -> str:
    return min(names, key=lambda name: (len(name), name))
