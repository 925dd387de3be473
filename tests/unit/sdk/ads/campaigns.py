"""Campaigns for the tests: any, and a plain one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from penchant_sdk.ads import (
    Campaign,
    DayPart,
    Flight,
    FrequencyCap,
    Money,
    Per,
    TargetingRule,
    Weekday,
)

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
"""A Monday's midnight."""
DAY = Flight(MONDAY, MONDAY + timedelta(days=1))


def campaign(id_: str = "tents", text: str = "Tents for two", **fields: Any) -> Campaign:
    """One without rules, for a day, unless told otherwise."""
    plain = {
        "advertiser": "Oak & Sons",
        "flight": DAY,
        "budget": Money.of(100),
        "bid": Money.of("0.50"),
    }
    return Campaign(id_, text, **{**plain, **fields})


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
days = st.frozensets(st.sampled_from(Weekday))
day_parts = st.tuples(st.integers(0, 23), st.integers(1, 24), days).filter(lambda t: t[0] < t[1])
parts = st.lists(day_parts.map(lambda t: DayPart(*t)), max_size=3).map(tuple)
zones = st.sampled_from(
    ["UTC", "Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
)
moments = st.integers(0, 60 * 24 * 60 * 60 * 1_000_000).map(
    lambda us: MONDAY + timedelta(microseconds=us)
)
flights = (
    st.tuples(moments, moments).filter(lambda t: t[0] < t[1]).map(lambda t: Flight(t[0], t[1]))
)
rules = st.builds(TargetingRule, texts, st.frozensets(texts, min_size=1, max_size=3), st.booleans())
caps = st.builds(FrequencyCap, st.integers(1, 100), st.sampled_from(Per))
money = st.integers(1, 10**12).map(Money)
campaigns = st.builds(
    Campaign,
    id=texts,
    text=texts,
    advertiser=texts,
    flight=flights,
    budget=money,
    bid=money,
    categories=st.frozensets(texts, max_size=3),
    targeting=st.lists(rules, max_size=3).map(tuple),
    caps=st.lists(caps, max_size=3).map(tuple),
    day_parts=parts,
    time_zone=zones,
    budget_per=st.sampled_from([Per.FLIGHT, Per.DAY]),
)
