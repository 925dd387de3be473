"""A process that writes to a store and prints each ack, until it is killed.

Its arguments: `events`, `items` or `ads`, the store's directory, and a number for its ids. It
begins once it has read a line: the slow part, its start, may go on beside something else.
"""

from __future__ import annotations

import itertools
import os
import random
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from penchant.config import Config
from penchant.domain.settings import FoldSettings
from penchant.encoder.bag_of_words import BagOfWords
from penchant.encoder.library import EncoderLibrary
from penchant.server.app import App, build
from penchant.service.meter import SilentMeter
from penchant_proto.v1.item_pb2 import Item
from penchant_proto.v1.service_pb2 import Call, Reply
from tests.support.calls import together
from tests.support.histories import FILMS
from tests.support.world import NOW_US, SECOND_US

USERS = 3
MAP_BYTES = 64 << 20


def config_of(directory: Path) -> Config:
    """Settings with a window smaller than the number of events."""
    fold = FoldSettings(window_events=16)
    return Config(
        store=f"lmdb:{directory}", encoder=directory, store_map_bytes=MAP_BYTES, fold=fold
    )


def add_event(call: Call, round_: int, number: int) -> None:
    """Adds the event with this number, which always has the same content."""
    dice = random.Random(f"{round_} {number}")
    call.feedback.events.add(
        event_id=f"{round_}-{number}",
        user=f"u{dice.randrange(USERS)}",
        item=dice.choice(sorted(FILMS)),
        signal="like",
        occurred_at_us=NOW_US - dice.randrange(1000) * SECOND_US,
    )


def put(app: App, texts: dict[str, str]) -> None:
    call = Call()
    call.put_items.items.extend(Item(id=id_, text=text) for id_, text in texts.items())
    assert isinstance(app.handle(call.SerializeToString()), Reply)


def feed(app: App, calls: list[Call]) -> None:
    """Feeds one batch, then prints the ids of its acked events."""
    acked: list[str] = []
    for reply in together(app, calls):
        assert isinstance(reply, Reply)
        assert not any(result.reason for result in reply.feedback.results)
        acked += [result.event_id for result in reply.feedback.results]
    print_ids(acked)


def print_ids(acked: Iterable[str]) -> None:
    os.write(1, "".join(f"{id_}\n" for id_ in acked).encode())


def main() -> None:
    what, directory, round_ = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    sys.stdin.readline()
    models = ["penchant_catalog", "penchant_feedback"]
    app = build(
        models,
        config_of(directory),
        EncoderLibrary(BagOfWords()),
        SilentMeter(),
        clock=lambda: NOW_US,
    )
    if what == "events":
        feed_for_ever(app, round_)
    if what == "ads":
        reserve_for_ever(app, round_)
    put_for_ever(app, round_)


def put_for_ever(app: App, round_: int) -> NoReturn:
    """Adds items, changes old ones, and deletes a temporary one."""
    for number in itertools.count():
        texts = {f"{round_}-{number}": f"film {round_} {number}"}
        if number % 3 == 2:
            texts[f"{round_}-{number - 1}"] = f"film {round_} {number - 1} again"
        put(app, texts | {"passing": f"passing {number}"})
        call = Call()
        call.delete_items.ids.append("passing")
        assert isinstance(app.handle(call.SerializeToString()), Reply)
        print_ids(texts)
    raise AssertionError("numbers have no end")


def feed_for_ever(app: App, round_: int) -> NoReturn:
    put(app, FILMS)
    dice = random.Random(round_)
    numbers = itertools.count()
    while True:
        calls = [Call() for _ in range(dice.randint(1, 3))]
        for call in calls:
            for _ in range(dice.randint(1, 4)):
                add_event(call, round_, next(numbers))
            if round_:  # As a client does that does not know whether an event was accepted.
                add_event(call, dice.randrange(round_), dice.randrange(40))
        feed(app, calls)


def reserve_for_ever(app: App, round_: int) -> NoReturn:
    """Reserves, repeats calls, shows most of what was reserved, and now and then forgets a user."""
    put(app, FILMS)
    dice = random.Random(round_)
    for number in itertools.count():
        at_us = NOW_US + (round_ * 10_000 + number - 100_000) * SECOND_US // 10
        user, id_ = f"u{dice.randrange(USERS)}", f"{round_}-{number - dice.randrange(2)}"
        asked, shown, forgotten = Call(), Call(), Call()
        request = asked.reserve
        request.user, request.recommendation_id, request.n, request.lapse_s = user, id_, 2, 5
        request.as_of_us = at_us
        for item in sorted(FILMS):
            option = request.options.add(item=item)
            option.caps.add(key=item, limit=9, window_s=3)
            option.budget.key, option.budget.cost_micros = f"paid/{item}", 7
            option.budget.allowed_micros = 10**9
        reply = app.handle(asked.SerializeToString())
        assert isinstance(reply, Reply)
        for one in reply.reserve.reserved:
            if dice.random() < 0.8:
                shown.feedback.events.add(
                    event_id=f"{user}/{id_}/{one.item}",
                    user=user,
                    item=one.item,
                    signal="impression",
                    recommendation_id=id_,
                    occurred_at_us=at_us,
                )
        if shown.feedback.events:
            feed(app, [shown, shown])
        if number % 40 == 39:
            forgotten.forget_user.user = user
            app.handle(forgotten.SerializeToString())
    raise AssertionError("numbers have no end")


if __name__ == "__main__":
    main()
