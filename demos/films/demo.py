"""`penchant demo`: MovieLens as live traffic on a real Triton, and what is learnt from it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.text import Text

from demos.demo_encoder import prepare_encoder
from demos.demo_server import connect, make_server, until_interrupted, wait_for_end
from demos.films import film_tables, learning_curve
from demos.films.film_metrics import BANDS, FINE_BANDS, EarlierBand, compare
from demos.films.live_popularity import LivePopularity
from demos.films.live_replay import HISTORY, LiveOutcome, Replay, choose_story, choose_users
from demos.progress_steps import bar, bars, step
from penchant.domain.errors import ConfigError
from penchant.domain.types import Item
from penchant.launch import Server
from penchant.launch.model_parameters import HOME
from penchant.logs.datasets.movielens import MovieLens, read_movielens
from penchant.system.option_types import FLAT
from penchant_sdk import Item as SdkItem
from penchant_sdk import Penchant

USERS = 200
SEED = 1
PICTURE, NUMBERS = "learning_curve.png", "demo.json"

_FILMS_PER_CALL = 64
_WHY_BOTH_FALL = (
    "Both fall down the rows, since people rate first what everybody likes, and the rest is "
    "harder to guess: read the ratio.\n"
)


@dataclass(frozen=True, slots=True)
class FilmsDemo:
    """Options of the demo."""

    users: Annotated[int, Parameter(validator=validators.Number(gte=1))] = USERS
    """Users to watch, of the 721 who rate after the history."""
    keep: bool = False
    """Leave the server up at the end, until Ctrl-C."""
    output: Path = Path("out")
    """Directory for the chart and the numbers."""
    store: Annotated[str | None, Parameter(metavar="lmdb:DIRECTORY")] = None
    """Store to create and keep; by default it is removed at the end."""
    seed: int = SEED
    """Seed of the users who are drawn."""


def demo(*, options: Annotated[FilmsDemo, FLAT] = FilmsDemo()) -> int:
    """Replays MovieLens-100K against a real server and shows what it learns.

    The first 30,000 ratings are imported as history. Then all others follow in time order: before
    each rating of a watched user, Penchant and popularity rank the films that the user has not
    rated, and we look whether a film that the user then rates 4 or 5 is in the top ten. Each rating
    is fed back before the next ranking; the ratings of all other users are fed in as well.
    """
    console = Console(highlight=False)
    return until_interrupted(console, lambda directory: _run(console, directory, options))


def _run(console: Console, directory: Path, options: FilmsDemo) -> None:
    _make_output(options.output)
    began = time.monotonic()
    with step(console, "Reading MovieLens-100K") as now:
        data = read_movielens()
        now.done = (
            f"MovieLens-100K: {len(data.films):,} films, {len(data.ratings):,} ratings of "
            f"{data.users} users"
        )
    with step(console, "Preparing the encoder") as now:
        texts = [film.text for film in data.films]
        encoder, reused = prepare_encoder(HOME, texts, now.say)
        made = "there already" if reused else "exported to ONNX"
        now.done = f"Encoder: all-MiniLM-L6-v2, {made}, {encoder}"
    server = make_server(directory, encoder, options.store, keep=options.keep)
    try:
        with step(console, "Starting Triton") as now:
            server.start()
            now.done = f"Triton is up: gRPC on {server.target}, each model has answered"
        with connect(server.target) as penchant:
            outcome = _play(console, penchant, data, options)
            _conclude(console, outcome, data.films, options, time.monotonic() - began)
        _what_next(console, server, outcome, options)
        if options.keep:
            _wait(console, server)
    finally:
        server.stop()


def _play(console: Console, penchant: Penchant, data: MovieLens, options: FilmsDemo) -> LiveOutcome:
    """Films, history, live traffic."""
    history, later = data.ratings[:HISTORY], data.ratings[HISTORY:]
    watched = choose_users(later, options.users, options.seed)
    replay = Replay(penchant, LivePopularity([film.id for film in data.films]))
    with bars(console) as progress:
        with bar(console, progress, "Registering films", len(data.films)) as task:
            register(penchant, data.films, progress, task)
        with bar(console, progress, "Importing ratings as history", len(history)) as task:
            replay.history(history, lambda count: progress.advance(task, count))
        text = f"Playing ratings, {len(watched)} users live"
        with bar(console, progress, text, len(later)) as task:
            story = choose_story(history, later, watched)
            replay.live(later, watched, story, lambda count: progress.advance(task, count))
    return replay.outcome


def register(penchant: Penchant, films: Sequence[Item], progress: Progress, task: TaskID) -> None:
    """Puts the films, chunk by chunk."""
    for start in range(0, len(films), _FILMS_PER_CALL):
        chunk = films[start : start + _FILMS_PER_CALL]
        penchant.put_items([SdkItem(film.id, film.text, film.attributes) for film in chunk])
        progress.advance(task, len(chunk))


def _conclude(
    console: Console,
    outcome: LiveOutcome,
    films: Sequence[Item],
    options: FilmsDemo,
    seconds: float,
) -> None:
    rows = compare(outcome.trials, BANDS)
    (total,) = compare(outcome.trials, [EarlierBand(0, None)])
    users = len({trial.user for trial in outcome.trials})
    console.print()
    console.print(film_tables.quality_table(rows, total))
    # Without this, the falling numbers look as if learning made things worse.
    console.print(Text(_WHY_BOTH_FALL, style="dim"))
    console.print(film_tables.latency_table(outcome))
    titles = {film.id: film.attributes["title"] for film in films}
    if outcome.story:
        console.print(film_tables.story_table(outcome.story, titles))
    facts = {"users": users, "seed": options.seed, "history": HISTORY, "seconds": round(seconds, 1)}
    numbers = options.output / NUMBERS
    text = json.dumps(film_tables.results(outcome, facts, titles), indent=2, ensure_ascii=False)
    numbers.write_text(text + "\n", encoding="utf-8")
    picture = options.output / PICTURE
    learning_curve.draw(compare(outcome.trials, FINE_BANDS), users, picture)
    console.print(Text(f"Done in {seconds:.0f} s. Learning curve: {picture}. Numbers: {numbers}."))


def _what_next(console: Console, server: Server, outcome: LiveOutcome, options: FilmsDemo) -> None:
    lines = ["", "Try next:"]
    if options.keep and outcome.story:
        target = "" if server.ports.grpc == 8001 else f" --target {server.target}"
        user, when = outcome.story.user, round(outcome.story.after_s)
        # The ratings are of 1997 and 1998: seen from today, all of them have faded.
        rank = f"penchant rank {user} --as-of {when} --exclude-seen"
        lines += [
            f"  {rank} --explain{target}",
            f'  {rank} --query "a film for children"{target}',
            f"  penchant feedback {user} 50 rating --value 5 --occurred-at {when}{target}",
            f"  penchant user {user}{target}",
        ]
    else:
        lines += [
            "  penchant demo --keep       the same, with the server left up to play with",
            "  penchant serve             a server with a store that stays",
            "  penchant import --help     your own items and events into it",
        ]
    console.print(Text("\n".join(lines)), soft_wrap=True)


def _wait(console: Console, server: Server) -> None:
    """Returns when the user wants it."""
    console.print(Text(f"\nThe server stays up on {server.target} until Ctrl-C."))
    try:
        wait_for_end(server)
    except KeyboardInterrupt:
        console.print("Stopping.")


def _make_output(directory: Path) -> None:
    """Now, not after minutes of work."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"output: {directory} can't be made: {error.strerror}") from error
