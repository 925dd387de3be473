"""The ads demo from its readers to its report, on an in-process server."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from demos.ads import ads_chart, ads_report
from demos.ads.accounts import account, broken_rules
from demos.ads.ads_simulation import visits
from demos.ads.day import LAPSE_S, Day, DayPlan
from demos.ads.films import CAMPAIGNS, HISTORY, FilmDay, film_day
from penchant.calibration.calibrate import calibrate_shown
from penchant.cli.import_events import sdk_event
from penchant.encoder.bag_of_words import BagOfWords
from penchant.logs.datasets.movielens import read_movielens
from penchant.server.in_process import client_of
from penchant_sdk import Item, PlackettLuce
from penchant_sdk.ads import AdClient, Calibration
from tests.support.ad_days import MIDNIGHT, SLOT, shown_of

GUESS = Calibration(slope=0.5, intercept=-2.0, examination=(1.0,))


@pytest.fixture(scope="module")
def films() -> FilmDay:
    return film_day(read_movielens(), MIDNIGHT, seed=1)


@pytest.fixture(scope="module")
def day(films: FilmDay) -> Day:
    with client_of(BagOfWords(), {"signals": "default,ads"}) as penchant:
        penchant.put_items([Item(one.id, one.text, one.attributes) for one in films.films])
        penchant.feedback([sdk_event(event) for event in films.history])
        ads = AdClient(penchant, calibration=GUESS, lapse_s=LAPSE_S, seed=1)
        ads.put_campaigns(films.campaigns)
        plan = DayPlan(SLOT, MIDNIGHT, explore=PlackettLuce(0.5), explore_share=0.2)
        played = Day(ads, films.readers, plan)
        played.play(visits(films.readers.users, 300, seed=1))
    return played


def test_the_server_gets_no_rating_of_an_advertised_film(films: FilmDay) -> None:
    advertised = {one.id.removeprefix("ad-") for one in films.campaigns}
    assert len(advertised) == CAMPAIGNS
    assert {event.item for event in films.history} <= {film.id for film in films.films}
    assert not advertised & {film.id for film in films.films}
    assert len(films.history) == HISTORY * len(films.readers.users)
    latest = max(event.occurred_at_us for event in films.history)
    assert latest < MIDNIGHT.timestamp() * 1e6
    assert films.readers.attraction.min() > 0
    assert films.readers.attraction.max() < 0.5


def test_the_report_has_tables_numbers_and_a_chart(
    films: FilmDay, day: Day, tmp_path: Path
) -> None:
    accounts = [account(one, day.impressions, day.plan.midnight) for one in films.campaigns]
    assert broken_rules(accounts) == []
    night = calibrate_shown(shown_of(day.impressions))
    stated = ads_report.reliabilities(day.impressions, GUESS)
    console = Console(width=80, record=True, file=(tmp_path / "said").open("w"))
    console.print(ads_report.campaigns_table(accounts))
    console.print(ads_report.totals(accounts, day, day.impressions))
    console.print(ads_report.calibration_table(night, stated, films.readers.examination))
    console.print(ads_report.visit_table(day.impressions, films))
    said = console.export_text()
    assert said.count("Toy Story (1995)") >= 1
    assert "300 visits" in said
    assert "Because this user rated" in " ".join(said.split())
    assert "…" not in said.partition("visits")[0]  # The table fits a terminal of 80 letters.
    numbers = json.loads(json.dumps(ads_report.numbers(accounts, day, night, stated, 1.0)))
    assert numbers["impressions"] == len(day.impressions)
    ads_chart.draw(accounts, stated, tmp_path / "ads_chart.png")
    assert (tmp_path / "ads_chart.png").read_bytes()[:4] == b"\x89PNG"
    console.file.close()


def test_a_broken_rule_is_reported(films: FilmDay, day: Day) -> None:
    twice = [*day.impressions, *day.impressions, *day.impressions]
    accounts = [account(one, twice, day.plan.midnight) for one in films.campaigns]
    assert any("capped at" in text for text in broken_rules(accounts))
    assert day.plan.midnight + timedelta(days=1) == films.campaigns[0].flight.ends_at
