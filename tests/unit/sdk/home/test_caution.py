"""The law of caution: confidence grows with evidence, and only what is read in full is acted on."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest

from penchant_sdk.home import Voting
from penchant_sdk.home._caution import Sense, confidence
from penchant_sdk.home.reading.commands import Command, Reading

DOUBTS = ("later", "target", "value", "verb", "corrected", "aside", "need")
ACTS_FROM = Voting().sure_above


def read(*doubts: str, unknown: tuple[str, ...] = (), slips: int = 0) -> float:
    command = Command("HassTurnOn", doubts=doubts)
    reading = Reading((command,), unknown=unknown, slips=slips)
    return confidence(Sense((command,), reading, exact=not (doubts or unknown)), command)


@pytest.mark.parametrize(
    "doubts", [some for size in (1, 2, 3) for some in combinations(DOUBTS, size)]
)
def test_a_doubt_makes_no_command_surer_and_each_is_asked_about(doubts: tuple[str, ...]) -> None:
    assert 0.0 < read(*doubts) < ACTS_FROM
    assert all(read(*doubts) <= read(*doubts[:-1]) for _ in doubts[:-1])


@pytest.mark.parametrize("slips", [0, 1, 2])
def test_what_is_read_in_full_is_acted_on_though_letters_were_wrong(slips: int) -> None:
    assert read(slips=slips) >= ACTS_FROM


def test_words_left_over_ask() -> None:
    assert read(unknown=("quux",)) < ACTS_FROM


def test_votes_never_act_and_more_of_them_are_surer() -> None:
    command = Command("HassTurnOn")
    votes = [
        confidence(Sense((command,), Reading((command,)), voted=share / 20), command)
        for share in range(1, 21)
    ]
    assert all(less < more for less, more in pairwise(votes))
    assert votes[-1] < ACTS_FROM
