"""Charts are written as PNG files, completely or not at all."""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import Any

import pytest

from penchant.domain.errors import ConfigError
from penchant.report import chart


def test_a_chart_is_a_png_of_the_stated_size(tmp_path: Path) -> None:
    figure = chart.new_figure((4.0, 3.0), "A title")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], label="line")
    chart.band(axes, [0, 1], [0, 0], [1, 1], chart.GREEN)
    chart.plain(axes, "share", "a subtitle")
    chart.legend(axes)
    path = tmp_path / "new" / "chart.png"
    chart.save(figure, path)
    content = path.read_bytes()
    assert content == chart.png(figure)
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    assert width / height == pytest.approx(4 / 3, rel=0.01)


def test_a_chart_that_fails_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "chart.png"
    path.write_bytes(b"old")
    figure = chart.new_figure((4.0, 3.0))

    def fail(file: Any, **_: object) -> None:
        file.write(b"half a picture")
        raise OSError("disk full")

    monkeypatch.setattr(figure, "savefig", fail)
    with pytest.raises(OSError, match="disk full"):
        chart.save(figure, path)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [
        ("chart.png", b"old")
    ]


def test_axes_have_no_frame_but_the_bottom_line() -> None:
    axes = chart.new_figure((4.0, 3.0)).subplots()
    chart.plain(axes, "share", "a subtitle")
    assert [side for side, spine in axes.spines.items() if spine.get_visible()] == ["bottom"]
    assert axes.get_ylabel() == "share"
    assert axes.get_title(loc="left") == "a subtitle"


@pytest.mark.parametrize("count", [0, 1, 10, 25])
def test_series_have_a_colour_each_and_penchant_the_first(count: int) -> None:
    found = chart.colours(count)
    assert len(found) == count
    assert found[:1] == [chart.GREEN][:count]
    assert len(set(found)) == min(count, len(chart.SERIES))


def test_without_matplotlib_the_option_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(
        ConfigError, match=r"--plot: .*matplotlib.* `pip install 'penchant\[report\]'"
    ):
        chart.require_matplotlib("--plot")
