"""Each verb at its limits: how long it holds its process. `python -m benchmarks.verb_limits`.

In one process, without Triton, on an LMDB store: the longest time that one slice of a call holds
the process, and the time of the whole call, both also as multiples of a plain ranking of ten in the
same run. What takes long and is one slice keeps everybody else waiting.
docs/measurements/benchmarks.md has the figures.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from threadpoolctl import threadpool_limits

from penchant.config import Config
from penchant.domain.errors import PenchantError
from penchant.encoder.bag_of_words import BagOfWords
from penchant.encoder.library import EncoderLibrary
from penchant.server.app import App, build
from penchant.server.dispatch import ParsedCall
from penchant.service.meter import SilentMeter
from penchant_proto.methods import METHODS
from penchant_proto.v1.event_pb2 import Event
from penchant_proto.v1.item_pb2 import Item
from penchant_proto.v1.service_pb2 import Call

ITEMS = 10_000
WINDOW = 256
LONG_LOG = 20_000
PLAIN = "rank, k = 10"


def app_in(directory: Path) -> App:
    """An app with all verbs over an LMDB store."""
    config = Config(store=f"lmdb:{directory / 'store'}", encoder=directory)
    models = sorted({method.model for method in METHODS.values()})
    return build(models, config, EncoderLibrary(BagOfWords()), SilentMeter())


def held(app: App, call: Call) -> tuple[float, float]:
    """Seconds of the longest slice of a call, and of all of them."""
    parsed = app.dispatch.parse(call.SerializeToString())
    assert isinstance(parsed, ParsedCall), parsed
    slices = app.dispatch.slices(parsed)
    longest = whole = 0.0
    while True:
        began = time.perf_counter()
        try:
            next(slices)
            answer = None
        except StopIteration as end:
            answer = end.value
        took = time.perf_counter() - began
        longest, whole = max(longest, took), whole + took
        if answer is not None:
            assert not isinstance(answer, PenchantError), answer
            return longest, whole


_NUMBERS = itertools.count()


def events(count: int, *, users: int, user: str = "") -> Call:
    """Feedback of new events by new users."""
    call, first = Call(), next(_NUMBERS)
    for place in range(count):
        name = user or f"user-{first}-{place % users}"
        event = Event(event_id=f"e{first}-{place}", user=name, item=f"i{place}", signal="like")
        call.feedback.events.append(event)
    return call


def items(count: int, text_bytes: int, *, known: bool = False) -> Call:
    """A put of items."""
    call, first = Call(), 0 if known else next(_NUMBERS)
    for place in range(count):
        text = f"item {first} {place} ".ljust(text_bytes, "x")
        id_ = f"i{place}" if known else f"n{first}-{place}"
        call.put_items.items.append(Item(id=id_, text=text))
    return call


def rank(**fields: object) -> Call:
    """A ranking for the user with a full window."""
    call = Call()
    call.rank.user = "full"
    for name, value in fields.items():
        setattr(call.rank, name, value)
    return call


def explored(policy: str, field: str, value: float) -> Call:
    """An explored ranking of 1,000."""
    call = rank(k=1000)
    setattr(getattr(call.rank.explore, policy), field, value)
    return call


def candidates(call: Call, count: int) -> Call:
    """The ranking with candidates."""
    call.rank.candidates.ids.extend(f"i{number}" for number in range(count))
    return call


def ids(verb: str, count: int) -> Call:
    """A read or a deletion of items."""
    call = Call()
    getattr(call, verb).ids.extend(f"i{number}" for number in range(count))
    if verb == "get_items":
        call.get_items.paged = True
    return call


def export() -> Call:
    """The first page of a long log."""
    call = Call()
    call.export_user.user = "long"
    call.export_user.page_token = b""
    return call


def export_kept(page: int = 0) -> Call:
    """What is kept of the user with the long log beside the events."""
    call = Call()
    call.export_user.user = "long"
    call.export_user.kept_from = page
    return call


def merge() -> Call:
    """The user with another long log becomes one with the user with the full window."""
    call = Call()
    call.merge_users.from_user, call.merge_users.to_user = "moves", "full"
    return call


def get_user() -> Call:
    """The record of the user with the full window."""
    call = Call()
    call.get_user.user = "full"
    return call


def forget() -> Call:
    """The deletion of the user with the long log."""
    call = Call()
    call.forget_user.user = "long"
    return call


CASES: dict[str, Callable[[], Call]] = {
    PLAIN: lambda: rank(k=10),
    "rank, k = 1,000": lambda: rank(k=1000),
    "rank, k = 10, explained": lambda: rank(k=10, explain=True),
    "rank, k = 1,000, explained": lambda: rank(k=1000, explain=True),
    "rank, k = 1,000, diversity": lambda: rank(k=1000, diversity=0.5),
    "rank, 5,000 candidates": lambda: candidates(rank(k=10), 5000),
    "rank, k = 1,000, Plackett-Luce": lambda: explored("plackett_luce", "temperature", 0.5),
    "rank, k = 1,000, epsilon-greedy": lambda: explored("epsilon_greedy", "epsilon", 0.1),
    "rank, k = 1,000, Thompson": lambda: explored("thompson", "scale", 1.0),
    "feedback, 1 event": lambda: events(1, users=1),
    "feedback, 1,000 new users": lambda: events(1000, users=1000),
    "feedback, 1,000 events of one user": lambda: events(1000, users=1),
    "put_items, 1,000 known": lambda: items(1000, 20, known=True),
    "put_items, 1,000 new": lambda: items(1000, 20),
    "get_items, 1,000": lambda: ids("get_items", 1000),
    "get_user": get_user,
    "export_user, a page": export,
    "export_user, beside 20,000 events": export_kept,
    "rank, 5,000 candidates, k = 1,000, explained": lambda: candidates(
        rank(k=1000, explain=True), 5000
    ),
    "merge_users, 20,000 events": merge,
    "delete_items, 1,000": lambda: ids("delete_items", 1000),
    "forget_user, 20,000 events": forget,
}
"""The largest calls of each verb; those that change the world for others come last."""


def prepare(app: App) -> None:
    """Fills the catalog, a window and a long log."""
    for start in range(0, ITEMS, 1000):
        call = Call()
        for number in range(start, start + 1000):
            call.put_items.items.append(Item(id=f"i{number}", text=f"item {number} {number % 97}"))
        held(app, call)
    for place in range(0, LONG_LOG, 1000):
        held(app, events(1000, users=1, user="long"))
        held(app, events(1000, users=1, user="moves"))
        if place < WINDOW:
            held(app, events(WINDOW, users=1, user="full"))


def measure(app: App, rounds: int) -> Iterator[tuple[str, float, float]]:
    """The least longest slice and the least whole of each case over some rounds, in seconds."""
    for name, make in CASES.items():
        once = name.startswith(("merge_users", "delete_items", "forget_user"))
        results = [held(app, make()) for _ in range(1 if once else rounds)]
        yield name, min(one[0] for one in results), min(one[1] for one in results)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table, and writes it as JSON."""
    parser = argparse.ArgumentParser("python -m benchmarks.verb_limits", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="calls of each kind")
    parser.add_argument("--out", type=Path, default=Path("out/verb_limits.json"))
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="penchant-limits-") as name, threadpool_limits(1):
        app = app_in(Path(name))
        prepare(app)
        rows = list(measure(app, options.rounds))
        app.close()
    plain = rows[0][2]
    print(f"| call | longest slice, ms | of a plain ranking | whole, ms |\n|{'---|' * 4}")
    for name, longest, whole in rows:
        print(f"| {name} | {longest * 1e3:.1f} | {longest / plain:.0f} × | {whole * 1e3:.1f} |")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    content = {name: {"slice_s": longest, "whole_s": whole} for name, longest, whole in rows}
    options.out.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
