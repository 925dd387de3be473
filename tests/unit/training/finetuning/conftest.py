"""A tiny encoder, and a log whose groups of liked items share no words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import Event, Item
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import POSITIVE, parse_relevance
from penchant.logs.stream import Stream, make_stream
from penchant.training.finetuning.finetune import FinetuneRequest
from penchant.training.finetuning.finetune_settings import FinetuneSettings
from tests.support.tiny_encoders import write_encoder

HIDDEN = 32
GROUPS = 4
ITEMS = 32
USERS = 40
WORDS = ["film", "about", *(f"word{number}" for number in range(ITEMS))]
"""Words of the texts of all items."""
LIKES = 7
"""Likes per user, all in one group of items."""


def group_of(item: int) -> int:
    """The group of an item, liked together; neighbouring numbers have different groups."""
    return item % GROUPS


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(
        tmp_path_factory.mktemp("source"), WORDS, hidden=HIDDEN, initializer_range=0.05
    )


@pytest.fixture(scope="session")
def stream() -> Stream:
    """A log in which each user likes seven of a group's eight items, in random order."""
    return planted(USERS)


def request_of(
    stream: Stream,
    source: Path,
    output: Path,
    settings: FinetuneSettings,
    *,
    continued: bool = False,
    max_minutes: float | None = None,
) -> FinetuneRequest:
    """A fine-tuning on a log in memory, of a first or, if `continued`, of a later round."""
    return FinetuneRequest(
        output=output,
        stream=stream,
        source=None if continued else source,
        last=source if continued else None,
        settings=settings,
        max_minutes=max_minutes,
    )


def planted(users: int, group: Callable[[int], int] = group_of, begin: int = 1) -> Stream:
    """A log in which, each second from `begin` on, one of the users likes an item."""
    random = np.random.default_rng(0)
    items = [Item(str(n), f"film about word{n}") for n in range(ITEMS)]
    orders = {
        user: random.permutation([n for n in range(ITEMS) if group(n) == user % GROUPS])
        for user in range(users)
    }
    turns = random.permutation(np.repeat(np.arange(users), LIKES))
    places = dict.fromkeys(range(users), 0)
    events = []
    for moment, user in enumerate(turns.tolist()):
        item = orders[user][places[user]]
        places[user] += 1
        at_us = 1_000_000 * (begin + moment)
        name = f"u{begin}-{user}"
        events.append(Event(f"{name}-{moment}", name, str(item), "like", None, at_us))
    return make_stream(items, events, DEFAULT_SIGNALS, parse_relevance(POSITIVE), LeftOut())
