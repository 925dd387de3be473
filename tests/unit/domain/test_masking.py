"""Masking: what is personal goes, and what merely looks like it stays."""

from __future__ import annotations

import time
import timeit
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain import national_ids
from penchant.domain.limits import Limits
from penchant.domain.masking import masked


@given(st.text(max_size=60) | st.from_regex(r"[\w@.:+ -]{0,60}", fullmatch=True))
def test_masked_text_stays_as_it_is_when_masked_again(text: str) -> None:
    once = masked(text)
    assert masked(once) == once


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ann＠example.org", "[email]"),
        ("+４９ １７０ １２３４５６７", "[phone]"),
        ("4111\u200b1111\u200b1111\u200b1111", "[card]"),
        ("card 4111\u20111111\u20111111\u20111111", "card [card]"),
        ("ES91 2100 0418 4502 0005 1332 paid now", "[iban] paid now"),
        ("http://u:p4ss@host/x and fe80::1ff:fe23:4567:890a", "[url] and [ip]"),
        ("Bearer abcdefghij0123456789.xyz", "Bearer [secret]"),
        ("11010519491231002X or RSSMRA85T10A562S", "[id] or [id]"),
    ],
)
def test_other_scripts_hidden_characters_and_neighbours_change_nothing(
    text: str, expected: str
) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    ("check", "known"),
    [
        (national_ids.polish_id, "44051401359"),
        (national_ids.german_tax_id, "86095742719"),
        (national_ids.brazilian_id, "52998224725"),
        (national_ids.french_id, "255081416802538"),
        (national_ids.spanish_id, "12345678Z"),
        (national_ids.italian_id, "RSSMRA85T10A562S"),
        (national_ids.finnish_id, "131052-308T"),
        (national_ids.chinese_id, "11010519491231002X"),
        (national_ids.iban, "GB29NWBK60161331926819"),
        (national_ids.card, "378282246310005"),
    ],
)
def test_a_published_example_passes_and_a_changed_digit_does_not(check: object, known: str) -> None:
    assert callable(check)
    assert check(known)
    place = max(place for place, char in enumerate(known[:-1]) if char.isdigit())
    for digit in "0123456789":
        if digit != known[place]:
            assert not check(known[:place] + digit + known[place + 1 :])


def test_a_text_without_digits_costs_a_small_part_of_one_with_an_account() -> None:
    plain, rich = "space opera with pirates", "iban DE89 3704 0044 0532 0130 00 please"
    assert masked(plain) is plain
    costs = []
    for text in (plain, rich):
        costs.append(min(timeit.repeat(partial(masked, text), number=300, repeat=5)))
    assert costs[0] < costs[1] / 4


HARD = (
    "1 ",
    "a@",
    "+1 (",
    "0-",
    "::1",
    "ab:",
    "DE89",
    "1.",
    "(030) ",
    "tel 1",
    "password:",
    "1.2.3.4 ",
    "a@b.de ",
    "9",
    "\uff11",
)


@pytest.mark.parametrize("piece", HARD)
def test_no_text_within_the_limits_is_slow_to_mask(piece: str) -> None:
    """The time grows with the length: four times as long a text takes no more than a few times."""
    limits = Limits()
    long = (piece * limits.text_bytes)[: limits.text_bytes]
    short = long[: limits.text_bytes // 4]
    costs = [
        min(timeit.repeat(partial(masked, text), timer=time.thread_time, number=1, repeat=5))
        for text in (short, long)
    ]
    assert costs[1] < 12 * max(costs[0], 2e-4)
