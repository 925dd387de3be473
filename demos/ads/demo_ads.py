"""`penchant demo-ads`: a day of film ads on a real Triton, and each campaign's account of it."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from demos.ads import ads_chart, ads_report
from demos.ads.accounts import account, broken_rules
from demos.ads.ads_simulation import DAY_S, visits
from demos.ads.day import LAPSE_S, Day, DayPlan
from demos.ads.films import FilmDay, film_day
from demos.demo_encoder import encoder_step
from demos.demo_server import make_server, run_demo, serving, store_in
from demos.fill_server import films_step, history_step, movielens_step
from demos.progress_steps import counted_step, print_next, print_results, step, tick
from penchant.calibration.calibrate import (
    CalibrationRequest,
    CalibrationResult,
    calibrate,
    write_calibration,
)
from penchant.domain.errors import ConfigError
from penchant.launch.model_parameters import HOME
from penchant.logs.reconciliation import AdsReportRequest, report_ads
from penchant.report.page import as_json
from penchant.report.terminal import Terminal
from penchant.system.durable_file import write_whole
from penchant.system.option_types import FLAT
from penchant_sdk import PlackettLuce
from penchant_sdk.ads import AdClient, Calibration, Size, Slot

VISITS = 3500
PLACES = 3
CALIBRATED_AT_S = tuple(3600 * hour for hour in (8, 12, 16, 20))
"""Times of day at which click probabilities are calibrated on all impressions so far."""
OUTAGE_S = (54_000, 55_800)
"""Times of day between which no visit reaches the server: half an hour from 15:00 on."""
GUESS = Calibration(slope=0.5, intercept=-2.5, examination=(1.0,))
"""Calibration until 8:00: a click probability of 8 % at score 0, the same in every place."""
SETTINGS = ("signals=default,ads",)
PICTURE, NUMBERS, CALIBRATION = "ads.png", "ads.json", "calibration.json"


@dataclass(frozen=True, slots=True)
class AdsDemo:
    """Options of the ads demo."""

    visits: Annotated[int, Parameter(validator=validators.Number(gte=1000))] = VISITS
    """Number of page visits in the day."""
    output: Path = Path("out")
    """Directory for the chart and the numbers."""
    seed: int = 1
    """Seed of the sample of readers and of their clicks."""


def demo_ads(*, options: Annotated[AdsDemo, FLAT] = AdsDemo()) -> int:
    """Plays a day of film ads: campaigns with budgets and caps, readers with real tastes.

    The readers are users of MovieLens-100K, and the server knows their ratings of other films.
    Clicks are simulated: a reader who rated the advertised film 4 or 5 often clicks its ad, others
    rarely, and each of the three places on the page is looked at with its own probability. From
    8:00 on, click probabilities are calibrated every four hours on the impressions so far, and the
    later impressions show how accurate they are. At 15:00 no visit comes for half an hour. At the
    end the server's log must say of every campaign what the readers saw.
    """

    def play(console: Terminal, directory: Path) -> None:
        _play(console, directory, options)

    return run_demo(options.output, play)


def _play(console: Terminal, directory: Path, options: AdsDemo) -> None:
    began = time.monotonic()
    data = movielens_step(console)
    midnight = _yesterday()
    films = film_day(data, midnight, options.seed)
    tick(console, f"{len(films.readers.users)} readers, {len(films.campaigns)} films to advertise")
    encoder = encoder_step(console, HOME, [film.text for film in data.films])
    server = make_server(directory, encoder, settings=SETTINGS)
    with serving(console, server) as penchant:
        films_step(console, penchant, films.films)
        ads = AdClient(penchant, calibration=GUESS, lapse_s=LAPSE_S, seed=options.seed)
        with step(console, f"Putting {len(films.campaigns)} campaigns"):
            ads.put_campaigns(films.campaigns)
        history_step(console, penchant, "Importing ratings of earlier days", films.history)
        day = Day(ads, films.readers, _plan(midnight, options.seed))
        last = _play_day(console, day, store_in(directory), options)
        _reconcile(console, day, store_in(directory))
    _report(console, films, day, last, options, time.monotonic() - began)


def _yesterday() -> datetime:
    """The last midnight but one: no event of that day lies ahead of the server's clock."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=1)


def _plan(midnight: datetime, seed: int) -> DayPlan:
    return DayPlan(
        Slot("film-page", Size(300, 250)),
        midnight,
        places=PLACES,
        explore=PlackettLuce(0.5),
        explore_share=0.2,
        concurrent_visits=8,
        seed=seed,
    )


def _play_day(console: Terminal, day: Day, store: str, options: AdsDemo) -> CalibrationResult:
    """Plays the day part by part, with a calibration after each but the last; returns the last."""
    planned = visits(day.readers.users, options.visits, options.seed)
    all_visits = [one for one in planned if not OUTAGE_S[0] <= one.at_s < OUTAGE_S[1]]
    since_s = 0
    for until_s in (*CALIBRATED_AT_S, DAY_S):
        part = [visit for visit in all_visits if since_s <= visit.at_s < until_s]
        text = f"Visits, {since_s // 3600}:00 to {until_s // 3600}:00"
        with counted_step(console, text, len(part)) as advance:
            day.play(part, advance)
        if until_s < DAY_S:
            last = _calibrate(console, day, until_s, store, options.output / CALIBRATION)
        since_s = until_s
    return last


def _calibrate(console: Terminal, day: Day, at_s: int, store: str, path: Path) -> CalibrationResult:
    """Calibrates on the server's store while it runs, as `penchant calibrate` does."""
    found = calibrate(CalibrationRequest(store=store, settings=SETTINGS))
    write_calibration(path, found)
    day.ads.calibration = Calibration.load(path)
    impressions = f"{found.impressions:,} impressions with {found.clicks} clicks"
    tick(console, f"{at_s // 3600}:00: calibrated on {impressions}")
    return found


def _reconcile(console: Terminal, day: Day, store: str) -> None:
    """Compares the server's log and budgets with what was shown, as `penchant ads report` does."""
    found = report_ads(AdsReportRequest(store=store, settings=SETTINGS))
    shown = Counter(one.decision.campaign for one in day.impressions)
    logged = {row.campaign: row.account.confirmed for row in found.days}
    charged = sum(one.decision.price.micros for one in day.impressions)
    if found.differences or logged != shown or found.total.charged_micros != charged:
        raise ConfigError("demo-ads: the server's log does not say what was shown and charged")
    total = found.total
    tick(
        console,
        f"Reconciled: {total.reserved:,} impressions reserved, {total.confirmed:,} shown, "
        f"{total.lapsed + total.open:,} not; {charged / 1e6:.2f} charged, as the budgets say",
    )


def _report(
    console: Terminal,
    films: FilmDay,
    day: Day,
    last: CalibrationResult,
    options: AdsDemo,
    seconds: float,
) -> None:
    accounts = [account(one, day.impressions, day.plan.midnight) for one in films.campaigns]
    calibrated = [one for one in day.impressions if one.at_s >= CALIBRATED_AT_S[0]]
    stated = ads_report.reliabilities(calibrated, GUESS)
    console.print()
    console.print(ads_report.campaigns_table(accounts))
    console.print(ads_report.totals(accounts, day, calibrated), soft_wrap=True)
    console.print(ads_report.calibration_table(last, stated, films.readers.examination))
    console.print(ads_report.visit_table(calibrated, films))
    picture, numbers = options.output / PICTURE, options.output / NUMBERS
    write_whole(numbers, as_json(ads_report.numbers(accounts, day, last, stated, seconds)))
    ads_chart.draw(accounts, stated, picture)
    print_results(console, seconds, {"Picture": picture, "Numbers": numbers})
    print_next(console, ads_report.NEXT)
    if broken := broken_rules(accounts):
        raise ConfigError("demo-ads: a rule was broken: " + "; ".join(broken))
