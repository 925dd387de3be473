"""`penchant fit` on made-up logs: what it makes, what it must not read, and odd logs."""

from __future__ import annotations

import csv
import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

from penchant.catalog.view import CatalogReader
from penchant.cli.main import COMMANDS, check_settings_file
from penchant.cli.settings_file import read_settings_file
from penchant.config import with_score_weights
from penchant.fit.fit import fit
from penchant.fit.fit_request import FitRequest, FitResult
from penchant.fit.trial import Rung
from penchant.launch.server_store import open_server_store
from penchant.logs.log_source import LogSource
from penchant.refresh.item_vectors import learn_catalog
from penchant.refresh.refresh import released_settings
from penchant.refresh.refresh_input import read_refresh_input
from penchant.releases.manifest import check_release
from penchant.service.user_interest import read_catalog
from penchant.store.items import read_head, scan_items
from penchant.store.users import scan_user_ids
from tests.support.command import Ran
from tests.support.command import run as run_command
from tests.unit.fit.logs_to_fit import write_log

TRIALS = ("--trials", "2")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of the test's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ran]:
    """One fit of a log in files, for the tests that only look at it."""
    directory = tmp_path_factory.mktemp("done")
    options = [*write_log(directory), *TRIALS, "--set", "query_weight=30", "--window", "7"]
    return directory, run(*options, "--output", directory / "fitted")


def run(*arguments: object) -> Ran:
    return run_command(["fit", *arguments])


def fitted(directory: Path, output: str, trials: int = 2) -> FitResult:
    log = LogSource(items=directory / "items.csv", events=directory / "events.csv")
    request = FitRequest(
        log, output=directory / output, encoder=directory / "words", trials=trials, peers=()
    )
    return fit(request)


def rewrite(directory: Path, rows: list[list[str]]) -> None:
    with (directory / "events.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def read(directory: Path) -> list[list[str]]:
    with (directory / "events.csv").open(newline="") as file:
        return list(csv.reader(file))


def test_a_log_in_files_becomes_a_store_that_serves_a_whole_release(
    done: tuple[Path, Ran],
) -> None:
    directory, found = done
    assert found.exit_code == 0, found.output
    line = f"penchant serve --config {directory}/fitted/penchant.toml"
    assert found.stdout.splitlines()[-1].strip() == line
    address = f"lmdb:{directory}/fitted/store"
    with open_server_store(address) as server, server.store.snapshot() as snapshot:
        head = read_head(snapshot)
        manifest = check_release(server.releases / head.release)
        assert sum(stored.alive for stored in scan_items(snapshot)) == 60
        assert len(list(scan_user_ids(snapshot))) == 60
        reader = CatalogReader(server.directory, server.config.fold)
        view = read_catalog(snapshot, reader, head)
        report = (server.releases / manifest.id / "report.html").read_bytes()
    assert manifest.learnt["rankings"] >= 30
    assert manifest.reasons in found.stdout
    # Sums in another order of users differ in the last bits.
    assert json.loads(view.frozen.learnt) == pytest.approx(manifest.learnt["settings"], rel=1e-5)
    assert {"NDCG@10", "recall@10"} == manifest.metrics.keys()
    assert (directory / "fitted" / "report.html").read_bytes() == report


def test_the_store_serves_what_a_refresh_of_its_log_would_learn(done: tuple[Path, Ran]) -> None:
    """The release is learnt once, from the log in files, and served as it is."""
    address = f"lmdb:{done[0] / 'fitted' / 'store'}"
    with open_server_store(address, ()) as server:
        reader = CatalogReader(server.directory, server.config.fold)
        with server.store.snapshot() as snapshot:
            view = read_catalog(snapshot, reader)
            source = read_refresh_input(snapshot, server.config)
        settings = released_settings(server.store)
        served = with_score_weights(server.config, view.head.score_weights)
        fresh = learn_catalog(source.events, source.texts, settings, served)
    expected = json.loads(fresh.learnt.settings_json)
    assert json.loads(view.frozen.learnt) == pytest.approx(expected, rel=1e-5)
    rows = list(source.numbers)
    np.testing.assert_allclose(view.vectors[rows], fresh.vectors, atol=1e-5)


def test_the_report_shows_the_parts_and_the_peers(done: tuple[Path, Ran]) -> None:
    page = (done[0] / "fitted" / "report.html").read_text()
    for words in ("without each part", "popularity", "item-knn", "ease", "The log holds 1,200"):
        assert words in page
    assert page.count("<img") == 3


def test_releases_says_what_was_learnt_and_why(done: tuple[Path, Ran]) -> None:
    listed = run_command(["releases", "--store", f"lmdb:{done[0]}/fitted/store"])
    assert "The score's weights were learnt from" in listed.stdout


def test_the_settings_file_is_read_by_every_command(
    done: tuple[Path, Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = done[0] / "fitted" / "penchant.toml"
    table = tomllib.loads(path.read_text())
    assert table["settings"] == {"query_weight": 30.0}
    assert table["evaluate"]["window"] == table["publish"]["window"] == 7
    refreshed = run_command(["refresh", "--config", path])
    assert refreshed.exit_code == 0, refreshed.output
    monkeypatch.setenv("PENCHANT_CONFIG", str(path))
    file = read_settings_file(COMMANDS)
    assert file is not None
    assert file.in_use["store"] == f"lmdb:{done[0]}/fitted/store"
    check_settings_file(file)


def test_equal_trials_give_equal_releases_and_a_fit_run_again_changes_nothing(place: Path) -> None:
    write_log(place, events=900)
    one, two = fitted(place, "one"), fitted(place, "two")
    assert one.release.id == two.release.id
    assert one.choice == two.choice
    with open_server_store(one.store) as server, server.store.snapshot() as snapshot:
        before = read_head(snapshot)
    assert fitted(place, "one").release.id == one.release.id
    with open_server_store(one.store) as server, server.store.snapshot() as snapshot:
        assert read_head(snapshot) == before


def test_no_choice_sees_the_part_that_measures(place: Path) -> None:
    write_log(place, events=900)
    before = fitted(place, "before")
    heading, *rows = read(place)
    last = rows[int(0.8 * len(rows)) :]
    users = [row[0] for row in last][::-1]
    rows[int(0.8 * len(rows)) :] = [[user, *row[1:]] for user, row in zip(users, last, strict=True)]
    rewrite(place, [heading, *rows])
    after = fitted(place, "after")
    assert before.choice == after.choice
    chosen = [line for line in before.said if line.startswith("Settings")]
    assert chosen == [line for line in after.said if line.startswith("Settings")]


def test_the_same_command_goes_on_where_it_was_stopped(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = write_log(place)
    judge, calls = Rung.judge, []

    def stopped(self: Rung, *arguments: object) -> object:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return judge(self, *arguments)  # type: ignore[arg-type]  # As they came.

    monkeypatch.setattr(Rung, "judge", stopped)
    trials = ("--trials", "4", "--output", "stopped")
    first = run(*options, *trials)
    assert first.exit_code == 130
    assert "the same command goes on" in first.stdout
    again = run(*options, *trials)
    assert again.exit_code == 0, again.output
    assert "Going on with what an earlier run has found." in again.stdout
    assert len(calls) == 3 + 4 - 2  # The two that were done are not done again.


def test_another_log_does_not_touch_the_output_of_the_first(place: Path) -> None:
    run(*write_log(place, events=40), *TRIALS)
    refused = run(*write_log(place, events=40, seed=2), *TRIALS)
    assert refused.exit_code == 1
    assert "holds a fit with another log" in refused.stderr


def test_a_directory_of_something_else_is_refused(place: Path) -> None:
    (place / "fitted").mkdir()
    (place / "fitted" / "thesis.tex").write_text("years of work")
    refused = run(*write_log(place), *TRIALS)
    assert refused.exit_code == 1
    assert "holds something other than a fit" in refused.stderr


def test_a_log_in_a_store_gets_a_release_that_waits_to_be_published(place: Path) -> None:
    run(*write_log(place, events=400), *TRIALS)
    with open_server_store("lmdb:fitted/store") as server, server.store.snapshot() as snapshot:
        served = read_head(snapshot)
    found = run("--store", "lmdb:fitted/store", "--output", "again", *TRIALS)
    assert found.exit_code == 0, found.output
    line = found.stdout.splitlines()[-1].strip()
    assert line.startswith("penchant publish ")
    with open_server_store("lmdb:fitted/store") as server, server.store.snapshot() as snapshot:
        assert read_head(snapshot) == served
    published = run_command([*line.split()[1:], "--no-gate"])
    assert published.exit_code == 0, published.output


@pytest.mark.parametrize(
    "log",
    [
        {"events": 50, "users": 8},
        {"users": 1, "events": 200},
        {"repeat": 1.0, "events": 400},
        {"step_s": 0, "events": 400},
        {"items": 4, "events": 400},
        {"events": 1},
    ],
    ids=["50 events", "one user", "all repeats", "one time", "four items", "one event"],
)
def test_an_odd_log_still_gets_a_release(place: Path, log: dict[str, float]) -> None:
    found = run(*write_log(place, **log), *TRIALS)  # type: ignore[arg-type]  # By name.
    assert found.exit_code == 0, found.output
    assert "penchant serve --config fitted/penchant.toml" in found.stdout


def test_events_alone_are_a_log(place: Path) -> None:
    write_log(place, events=300)
    found = run("--events", "events.csv", "--encoder", "words", *TRIALS)
    assert found.exit_code == 0, found.output
    assert "There is no file of items" in found.stdout
    assert "have no texts" in found.stdout


def test_rows_without_a_signal_are_likes(place: Path) -> None:
    options = write_log(place, events=300)
    rewrite(place, [[user, item, at] for user, item, _, at in read(place)])
    found = run(*options, *TRIALS)
    assert found.exit_code == 0, found.output
    assert "each row counts as a like" in found.stdout


def test_a_server_of_a_log_understands_the_signals_of_the_log(place: Path) -> None:
    options = write_log(place, events=300)
    heading, *rows = read(place)
    rewrite(place, [heading, *([user, item, "Listen", at] for user, item, _, at in rows)])
    found = run(*options, *TRIALS)
    assert found.exit_code == 0, found.output
    assert "the signal 'Listen' (300 events) has the reward +0.8" in found.stdout
    assert "refused" not in found.stdout
    table = tomllib.loads((place / "fitted" / "penchant.toml").read_text())
    assert "Listen" in table["settings"]["signals"]
    with open_server_store(f"lmdb:{place}/fitted/store") as server:
        assert server.config.signals["Listen"].reward == 0.8
    refreshed = run_command(["refresh", "--config", place / "fitted" / "penchant.toml"])
    assert refreshed.exit_code == 0, refreshed.output


def test_much_that_is_left_out_is_the_first_and_the_last_word_of_a_fit(place: Path) -> None:
    options = write_log(place, events=300)
    heading, *rows = read(place)
    strange = [[user, "x" + item, signal, at] for user, item, signal, at in rows[:50]]
    rewrite(place, [heading, *rows, *strange])
    found = run(*options, *TRIALS)
    assert found.exit_code == 0, found.output
    alarm = "Warning: 50 of the 350 events (14%) are LEFT OUT"
    first, *_, last = found.stdout.splitlines()
    assert first.startswith(alarm)
    assert last.startswith(alarm)
    paragraphs = (place / "fitted" / "report.html").read_text().split("<p>")
    said = [one for one in paragraphs if "</p>" in one]
    assert said[0].startswith(alarm)
    assert said[-1].startswith(alarm)


def test_columns_of_any_name_are_told_by_what_stands_in_them(place: Path) -> None:
    options = write_log(place, events=300)
    items = (place / "items.csv").read_text().replace("item_id,text", "artikelnr;bezeichnung")
    (place / "items.csv").write_text(items.replace(",", ";"))
    _, *rows = read(place)
    rewrite(place, [["kunde", "nr", "was", "wann"], *rows])
    found = run(*options, *TRIALS, "--map", "was=signal")
    assert found.exit_code == 0, found.output
    assert "The id of an item is the column artikelnr" in found.stdout
    assert "item is the column nr, occurred_at is the column wann, user is the column kunde" in (
        found.stdout
    )
    assert "made of its columns: {bezeichnung}" in found.stdout


def test_a_column_that_was_named_is_never_guessed(place: Path) -> None:
    refused = run(*write_log(place, events=300), "--time-column", "when")
    assert refused.exit_code == 1
    assert "no column is named 'when'" in refused.stderr
    refused = run(*write_log(place, events=300), "--signal-column", "kind")
    assert "no column is named 'kind'" in refused.stderr


def test_nothing_to_fit_to_is_said_plainly() -> None:
    refused = run()
    assert refused.exit_code == 1
    assert refused.stderr.startswith("penchant: nothing to fit to: name --events FILE")
