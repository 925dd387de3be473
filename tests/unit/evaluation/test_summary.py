"""From results to tables and pages: slices, gaps on the same users, files."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from penchant.domain.errors import ConfigError
from penchant.evaluation.metrics import MeanInterval
from penchant.evaluation.replay import replay
from penchant.evaluation.result_tables import tables, with_interval
from penchant.evaluation.summary import Summary, summarise
from penchant.evaluation.targets import ReplayConfig, choose_targets
from penchant.report.page import as_json, check_writable, page
from penchant.report.text_table import TextTable
from penchant.system.durable_file import write_whole
from tests.unit.evaluation.streams import Counts, Fixed, random_stream


def summaries(seed: int = 1) -> list[Summary]:
    stream, replay_config = (
        random_stream(seed=5, events=300),
        ReplayConfig(candidates="all", refresh_every=50),
    )
    targets = choose_targets(stream, replay_config)
    recommenders = [Counts(), Fixed(range(40))]
    results = [replay(stream, recommender, targets, replay_config) for recommender in recommenders]
    return summarise(stream, targets, results, [1, 10], seed)


def test_slices_partition_the_rankings() -> None:
    for one in summaries():
        assert sum(part.rankings for part in one.by_earlier) == one.overall.rankings
        assert sum(part.rankings for part in one.by_item_age) == one.overall.rankings
        whole = sum(
            part.rankings * part.quality["recall@10"].mean
            for part in one.by_earlier
            if part.rankings
        )
        assert whole / one.overall.rankings == pytest.approx(one.overall.quality["recall@10"].mean)


def test_the_gap_to_the_first_is_the_difference_of_the_means() -> None:
    first, second = summaries()
    for name, gap in second.behind_first.items():
        means = first.overall.quality[name].mean - second.overall.quality[name].mean
        assert gap.mean == pytest.approx(means)
        assert gap.low <= gap.mean <= gap.high
    assert set(first.behind_first.values()) == {MeanInterval(0.0, 0.0, 0.0)}


def test_fixed_scores_show_ten_items_alone() -> None:
    _, fixed = summaries()
    assert fixed.coverage == 10 / 40
    assert fixed.gini == pytest.approx(0.75)


def test_equal_seeds_give_equal_numbers() -> None:
    def but_for_time(seed: int) -> list[object]:
        return [
            (one.overall, one.by_earlier, one.by_item_age, one.behind_first)
            for one in summaries(seed)
        ]

    first, again, other = (as_json([repr(but_for_time(seed))]) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_tables_have_one_row_per_recommender_and_one_cell_per_column() -> None:
    found = tables(summaries())
    assert [len(table.rows) for table in found] == [2, 1, *[2] * (len(found) - 2)]
    for table in found:
        assert all(len(row) == len(table.columns) for row in table.rows)
    assert [row[0] for row in found[0].rows] == ["counts", "fixed"]


def test_an_interval_is_printed_as_half_its_width() -> None:
    assert with_interval(MeanInterval(0.2, 0.19, 0.212), sign="+") == "+0.200±.011"
    assert with_interval(MeanInterval(math.nan, math.nan, math.nan)) == "–"


def test_a_page_is_self_contained_and_escapes_its_texts() -> None:
    table = TextTable("<title>", ["", "a&b"], [["<script>", "1"]])
    html = page("A page", ["3 users"], [table], {"A <picture>": b"\x89PNG"})
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    assert "a&amp;b" in html
    assert "http" not in html
    assert 'src="data:image/png;base64,iVBORw=="' in html


def test_json_has_null_in_place_of_nan() -> None:
    text = as_json({"a": (np.float64("nan"), 1.5), "b": [math.inf]})
    assert json.loads(text) == {"a": [None, 1.5], "b": [None]}


def test_files_are_written_whole_and_wrong_paths_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    check_writable(path, "--json")
    write_whole(path, "text")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("out.json", "text")]
    for wrong in (tmp_path, tmp_path / "none" / "out.json"):
        with pytest.raises(ConfigError, match=r"--json: .* can't be written"):
            check_writable(wrong, "--json")
