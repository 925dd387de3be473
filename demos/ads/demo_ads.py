"""`penchant demo-ads`: a day of film ads on a real Triton, and what the accounts say of it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators
from rich.console import Console
from rich.text import Text

from demos.ads import ads_chart, ads_report
from demos.ads.accounts import account, broken_rules
from demos.ads.ads_simulation import DAY_S, visits
from demos.ads.day import LAPSE_S, Day, DayPlan
from demos.ads.films import FilmDay, film_day
from demos.demo_encoder import prepare_encoder
from demos.demo_server import connect, make_server, until_interrupted
from demos.films.demo import register
from demos.progress_steps import bar, bars, step
from penchant.calibration.calibrate import (
    CalibrationRequest,
    CalibrationResult,
    calibrate,
    write_calibration,
)
from penchant.cli.import_ import sdk_event
from penchant.domain.errors import ConfigError
from penchant.launch.model_parameters import HOME
from penchant.logs.datasets.movielens import read_movielens
from penchant.system.option_types import FLAT
from penchant_sdk import Penchant, PlackettLuce
from penchant_sdk.ads import AdClient, Calibration, Size, Slot

VISITS = 3500
PLACES = 3
CALIBRATED_AT_S = tuple(3600 * hour for hour in (8, 12, 16, 20))
"""When click probabilities are calibrated on all impressions so far."""
GUESS = Calibration(slope=0.5, intercept=-2.5, examination=(1.0,))
"""Until 8:00: 8 % of clicks at score 0, and all places alike."""
SETTINGS = ("signals=default,ads",)
PICTURE, NUMBERS, CALIBRATION = "ads.png", "ads.json", "calibration.json"
_CALL_EVENTS = 1000
_CALL_S = 30.0


@dataclass(frozen=True, slots=True)
class AdsDemo:
    """Options of the demo."""

    visits: Annotated[int, Parameter(validator=validators.Number(gte=1000))] = VISITS
    """Page visits of the day."""
    output: Path = Path("out")
    """Directory for the chart and the numbers."""
    seed: int = 1
    """Seed of the readers who are drawn, and of their clicks."""


def demo_ads(*, options: Annotated[AdsDemo, FLAT] = AdsDemo()) -> int:
    """Plays a day of film ads: campaigns with budgets and caps, readers with real tastes.

    Readers are people of MovieLens-100K; the server knows their ratings of other films. Who rated
    an advertised film 4 or 5 in truth clicks its ad often, others hardly: that is simulated, and
    so is how much each of three places is looked at. From 8:00 on, click probabilities are
    calibrated every four hours on the impressions so far; the later ones show whether they hold.
    """
    console = Console(highlight=False)
    options.output.mkdir(parents=True, exist_ok=True)
    return until_interrupted(console, lambda directory: _run(console, directory, options))


def _run(console: Console, directory: Path, options: AdsDemo) -> None:
    began = time.monotonic()
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    midnight -= timedelta(days=1)  # Yesterday: no event may lie ahead of the server's clock.
    with step(console, "Reading MovieLens-100K") as now:
        data = read_movielens()
        films = film_day(data, midnight, options.seed)
        now.done = (
            f"MovieLens-100K: {len(films.readers.users)} readers, {len(films.campaigns)} films "
            "to advertise"
        )
    with step(console, "Preparing the encoder") as now:
        encoder, _ = prepare_encoder(HOME, [film.text for film in data.films], now.say)
    store = f"lmdb:{directory / 'store'}"
    server = make_server(directory, encoder, None, keep=False, settings=SETTINGS)
    try:
        with step(console, "Starting Triton") as now:
            server.start()
            now.done = f"Triton is up on {server.target}"
        with connect(server.target) as penchant:
            ads = AdClient(penchant, calibration=GUESS, lapse_s=LAPSE_S, seed=options.seed)
            _prepare(console, penchant, ads, films)
            day = _new_day(ads, films, midnight, options)
            last = _play(console, day, store, options)
        _conclude(console, films, day, last, options, time.monotonic() - began)
    finally:
        server.stop()


def _prepare(console: Console, penchant: Penchant, ads: AdClient, films: FilmDay) -> None:
    with bars(console) as progress:
        with bar(console, progress, "Registering films", len(films.films)) as task:
            register(penchant, films.films, progress, task)
        with bar(console, progress, "Putting campaigns", len(films.campaigns)):
            ads.put_campaigns(films.campaigns)
        text = "Importing ratings of the days before"
        with bar(console, progress, text, len(films.history)) as task:
            for start in range(0, len(films.history), _CALL_EVENTS):
                some = films.history[start : start + _CALL_EVENTS]
                ack = penchant.feedback([sdk_event(event) for event in some], timeout_s=_CALL_S)
                ack.raise_for_refused()
                progress.advance(task, len(some))


def _new_day(ads: AdClient, films: FilmDay, midnight: datetime, options: AdsDemo) -> Day:
    slot = Slot("film-page", Size(300, 250))
    plan = DayPlan(
        slot,
        midnight,
        places=PLACES,
        explore=PlackettLuce(0.5),
        explore_share=0.2,
        at_once=8,
        seed=options.seed,
    )
    return Day(ads, films.readers, plan)


def _play(console: Console, day: Day, store: str, options: AdsDemo) -> CalibrationResult:
    """The day in parts, each but the last followed by a calibration; returns the last one."""
    coming = list(visits(day.readers.users, options.visits, options.seed))
    since_s = 0
    with bars(console) as progress:
        for until_s in (*CALIBRATED_AT_S, DAY_S):
            now = [visit for visit in coming if since_s <= visit.at_s < until_s]
            text = f"Visits, {since_s // 3600}:00 to {until_s // 3600}:00"
            with bar(console, progress, text, len(now)) as task:
                day.play(now, partial(progress.advance, task))
            if until_s < DAY_S:
                last = _calibrate(console, day, until_s, store, options.output / CALIBRATION)
            since_s = until_s
    return last


def _calibrate(console: Console, day: Day, at_s: int, store: str, path: Path) -> CalibrationResult:
    """What `penchant calibrate` does, beside the running server."""
    found = calibrate(CalibrationRequest(store=store, settings=SETTINGS))
    write_calibration(path, found)
    day.ads.calibration = Calibration.load(path)
    text = (
        f"{at_s // 3600}:00: calibrated on {found.impressions:,} impressions, {found.clicks} clicks"
    )
    console.print(Text.assemble(("✓ ", "green"), text))
    return found


def _conclude(
    console: Console,
    films: FilmDay,
    day: Day,
    last: CalibrationResult,
    options: AdsDemo,
    seconds: float,
) -> None:
    accounts = [
        account(campaign, day.impressions, day.plan.midnight) for campaign in films.campaigns
    ]
    later = [one for one in day.impressions if one.at_s >= CALIBRATED_AT_S[0]]
    stated = ads_report.reliabilities(later, GUESS)
    console.print()
    console.print(ads_report.campaigns_table(accounts))
    console.print(ads_report.totals(accounts, day, later), soft_wrap=True)
    console.print(ads_report.calibration_table(last, stated, films.readers.examination))
    console.print(ads_report.visit_table(later, films))
    numbers = ads_report.numbers(accounts, day, last, stated, seconds)
    path = options.output / NUMBERS
    path.write_text(json.dumps(numbers, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    ads_chart.draw(accounts, stated, options.output / PICTURE)
    text = f"Done in {seconds:.0f} s. Picture: {options.output / PICTURE}. Numbers: {path}."
    console.print(Text(text), soft_wrap=True)
    console.print(Text(ads_report.NEXT), soft_wrap=True)
    if broken := broken_rules(accounts):
        raise ConfigError("demo-ads: a rule was broken: " + "; ".join(broken))
