"""`penchant demo`: MovieLens as live traffic on a real Triton, and how well rankings follow it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators
from rich.text import Text

from demos.demo_encoder import encoder_step
from demos.demo_server import make_server, run_demo, serving, store_in, wait_until_stopped
from demos.demo_tables import latency_table
from demos.fill_server import films_step, movielens_step
from demos.films import film_tables, learning_curve
from demos.films.film_metrics import ALL, BANDS, CURVE, compare
from demos.films.first_clock import FirstClock
from demos.films.live_popularity import LivePopularity
from demos.films.live_replay import (
    HISTORY,
    LiveOutcome,
    LiveReplay,
    choose_story,
    choose_users,
)
from demos.progress_steps import counted_step, print_next, print_results
from penchant.cli.next_steps import command_line
from penchant.domain.errors import ConfigError
from penchant.domain.types import Event, Item
from penchant.launch import Ports, Server
from penchant.launch.model_parameters import HOME
from penchant.launch.server_store import open_server_store
from penchant.logs.datasets.movielens import MovieLens
from penchant.refresh.refresh import RefreshRequest
from penchant.refresh.refresh_clock import RefreshClock
from penchant.refresh.refresh_input import text_vectors
from penchant.report.page import as_json
from penchant.report.terminal import Terminal
from penchant.store.items import read_head, read_item
from penchant.system.durable_file import write_whole
from penchant.system.option_types import FLAT, Flag
from penchant_sdk import Penchant

USERS = 200
RATINGS = 70_000
SEED = 1
PICTURE, NUMBERS = "learning_curve.png", "demo.json"


@dataclass(frozen=True, slots=True)
class FilmsDemo:
    """Options of the films demo."""

    users: Annotated[int, Parameter(validator=validators.Number(gte=1))] = USERS
    """Number of users to watch, out of the 721 who rate films after the history."""
    ratings: Annotated[int, Parameter(validator=validators.Number(gte=1))] = RATINGS
    """Number of ratings to play after the history, at most all 70,000."""
    keep: Flag = False
    """Leave the server up at the end, until Ctrl-C."""
    output: Path = Path("out")
    """Directory for the chart and the numbers."""
    store: Annotated[str | None, Parameter(metavar="lmdb:DIRECTORY")] = None
    """Store to create and keep; by default the store is removed at the end."""
    seed: int = SEED
    """Seed of the sample of users."""


def demo(*, options: Annotated[FilmsDemo, FLAT] = FilmsDemo()) -> int:
    """Replays MovieLens-100K on a real server and shows how its rankings improve.

    The first 30,000 ratings are imported as history; the others follow in time order. Before each
    rating of 4 or 5 stars by a watched user, Penchant and popularity both rank the films that the
    user has not rated, and the demo checks whether the film is in the top ten. Every rating is
    fed back before the next ranking, and so are the ratings of all other users. The middle clock
    runs on the way; at the end the same rankings show what it adds.
    """

    def play(console: Terminal, directory: Path) -> None:
        _play(console, directory, options)

    return run_demo(options.output, play)


def _play(console: Terminal, directory: Path, options: FilmsDemo) -> None:
    began = time.monotonic()
    data = movielens_step(console)
    encoder = encoder_step(console, HOME, [film.text for film in data.films])
    server = make_server(directory, encoder, options.store, keep=options.keep)
    with serving(console, server) as penchant:
        films_step(console, penchant, data.films)
        address = options.store or store_in(directory)
        outcome = _replay(console, penchant, data, options, address)
        played = data.ratings[: HISTORY + options.ratings]
        _follow_first_clock(console, outcome, data.films, played, address)
        titles = {film.id: film.attributes["title"] for film in data.films}
        seconds = time.monotonic() - began
        _print_tables(console, outcome, titles)
        _write_results(console, outcome, titles, options, seconds)
        _print_next(console, server, outcome, options)
        if options.keep:
            wait_until_stopped(console, server)


def _replay(
    console: Terminal, penchant: Penchant, data: MovieLens, options: FilmsDemo, store: str
) -> LiveOutcome:
    """Imports the history and plays the other ratings as live traffic.

    Months pass in a minute, so the clock of `penchant serve` is looked at by the number of ratings
    instead of every five minutes.
    """
    history, later = data.ratings[:HISTORY], data.ratings[HISTORY:][: options.ratings]
    watched = choose_users(later, options.users, options.seed)
    story_user = choose_story(history, later, watched)
    replay = LiveReplay(penchant, LivePopularity([film.id for film in data.films]))
    with counted_step(console, "Importing ratings as history", len(history)) as advance:
        replay.import_history(history, advance)
    clock = RefreshClock(RefreshRequest(store=store), every_s=300.0)

    def refresh() -> None:
        look = clock.look()
        if look.kind != "refreshed":
            raise ConfigError(f"demo: the clock did not refresh: {look.text}")

    text = f"Playing ratings, {len(watched)} users live, the clock running"
    with counted_step(console, text, len(later)) as advance:
        replay.play_live(later, watched, story_user, advance, refresh)
    return replay.outcome


def _follow_first_clock(
    console: Terminal,
    outcome: LiveOutcome,
    films: Sequence[Item],
    ratings: Sequence[Event],
    store: str,
) -> None:
    """Adds to the rankings where the films would have been if nothing had been refreshed."""
    with open_server_store(store) as server, server.store.snapshot() as snapshot:
        stored = [read_item(snapshot, film.id) for film in films]
        known = [item for item in stored if item is not None]
        texts = text_vectors(snapshot, read_head(snapshot), known)
        first_clock = FirstClock(films, ratings, texts, server.config)
    text = "The same rankings, had nothing been refreshed"
    with counted_step(console, text, len(ratings)) as advance:
        first_clock.follow(outcome, advance)


def _print_tables(console: Terminal, outcome: LiveOutcome, titles: dict[str, str]) -> None:
    (total,) = compare(outcome.rankings, [ALL])
    console.print()
    console.print(film_tables.quality_table(compare(outcome.rankings, BANDS), total))
    console.print(Text(film_tables.HOW_TO_READ, style="dim"))
    console.print(
        latency_table(
            {
                "rank (top 10 of the catalog)": outcome.rank_s,
                "feedback (one event, on disk)": outcome.feedback_s,
            }
        )
    )
    if outcome.story:
        console.print(film_tables.story_table(outcome.story, titles))


def _write_results(
    console: Terminal,
    outcome: LiveOutcome,
    titles: dict[str, str],
    options: FilmsDemo,
    seconds: float,
) -> None:
    users = len({ranking.user for ranking in outcome.rankings})
    facts = {"users": users, "seed": options.seed, "history": HISTORY, "seconds": round(seconds, 1)}
    picture, numbers = options.output / PICTURE, options.output / NUMBERS
    write_whole(numbers, as_json(film_tables.results(outcome, facts, titles)))
    learning_curve.draw(compare(outcome.rankings, CURVE), users, picture)
    print_results(console, seconds, {"Learning curve": picture, "Numbers": numbers})


def _print_next(
    console: Terminal, server: Server, outcome: LiveOutcome, options: FilmsDemo
) -> None:
    suggestions = {
        "penchant demo --keep": "the same, with the server left up to try things on",
        "penchant serve": "a server with a store that stays",
        "penchant import --help": "your own items and events",
    }
    if options.keep and outcome.story:
        there = () if server.ports.grpc == Ports().grpc else ("--target", server.target)
        user, when_s = outcome.story.user, round(outcome.story.after_s)
        # The ratings date from 1997 and 1998; seen from today, all of them have faded.
        rank = ("rank", user, "--as-of", when_s, "--exclude-seen")
        like = ("feedback", user, "50", "rating", "--value", "5", "--occurred-at", when_s)
        suggestions = {
            command_line(*rank, "--explain", *there): "",
            command_line(*rank, "--query", "a film for children", *there): "",
            command_line(*like, *there): "",
            command_line("user", user, *there): "",
        }
    print_next(console, suggestions)
