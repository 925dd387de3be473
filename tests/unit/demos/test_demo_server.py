"""Demos: what they share on a terminal, in scratch directories, and when interrupted."""

from __future__ import annotations

import io
import json
import re
import signal
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos import demo_encoder, demo_server, progress_steps
from demos.demo_tables import demo_table, latency_table
from demos.fill_server import in_calls
from penchant.domain.errors import ConfigError
from penchant.report.terminal import Terminal


def printed(console: Terminal) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_store_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "data.mdb").touch()
    with pytest.raises(ConfigError, match="not empty"):
        demo_server.make_server(tmp_path, tmp_path, demo_server.store_in(tmp_path))


def test_the_scratch_directory_is_gone_even_after_an_interrupt(tmp_path: Path) -> None:
    def cut_off() -> None:
        with demo_server.scratch(tmp_path / "home") as directory:
            (directory / "file").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_off()
    assert list((tmp_path / "home").iterdir()) == []


def test_sigterm_ends_the_demo_as_an_interrupt_does() -> None:
    def end() -> None:
        with demo_server.interruptible():
            signal.raise_signal(signal.SIGTERM)
            threading.Event().wait(5)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        end()
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_encoder_of_somebody_elses_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "weights").write_text("1")
    monkeypatch.setattr(demo_encoder, "default_source", lambda: source)
    theirs = tmp_path / "encoder" / "encoder.json"
    theirs.parent.mkdir()
    theirs.write_text("{}")
    ours = tmp_path / "encoder-demo"
    ours.mkdir()
    note = {"inputs": demo_encoder._inputs(source, ["a"]), "version": "v"}
    (tmp_path / "encoder-demo.demo.json").write_text(json.dumps(note))

    class Bundle:
        version = "v"

    monkeypatch.setattr(demo_encoder, "read_bundle", lambda directory: Bundle)
    assert demo_encoder.prepare_encoder(tmp_path, ["a"]) == (ours, True)
    assert not demo_encoder._is_made_of(ours, tmp_path / "encoder-demo.demo.json", "other inputs")


def test_a_demo_runs_in_a_scratch_directory_and_its_output_is_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    seen: list[Path] = []

    def play(console: Terminal, directory: Path) -> int:
        seen.append(directory)
        assert directory.is_dir()
        return 3

    assert demo_server.run_demo(Path("new") / "out", play) == 3
    assert (tmp_path / "new" / "out").is_dir()
    assert not seen[0].exists()


def test_ctrl_c_ends_a_demo_with_the_status_of_an_interrupt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    def play(console: Terminal, directory: Path) -> None:
        raise KeyboardInterrupt

    assert demo_server.run_demo(Path("out"), play) == 130
    assert "the server is down" in capsys.readouterr().out
    assert list((tmp_path / ".penchant").iterdir()) == []


def test_an_output_that_cannot_be_created_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"output: .* can't be created"):
        demo_server.run_demo(tmp_path / "file" / "out", lambda console, directory: 0)


@given(st.lists(st.integers()), st.integers(1, 7))
def test_calls_send_everything_in_order_and_count_it(things: list[int], per_call: int) -> None:
    calls: list[list[int]] = []
    advanced: list[int] = []
    in_calls(things, per_call, lambda chunk: calls.append(list(chunk)), advanced.append)
    assert [thing for call in calls for thing in call] == things
    assert advanced == [len(call) for call in calls]
    assert all(len(call) == per_call for call in calls[:-1])
    assert all(0 < len(call) <= per_call for call in calls)


def test_steps_end_with_a_line_each() -> None:
    console = Terminal(file=io.StringIO(), width=80)
    with progress_steps.step(console, "Reading") as reading:
        reading.say("a detail")
        reading.done = "Read 3 [things]"
    with progress_steps.counted_step(console, "Putting", 3) as advance:
        advance(3)
    progress_steps.tick(console, "Without a duration")
    read, put, without = (line for line in printed(console).splitlines() if "✓" in line)
    assert re.search(r"✓ Read 3 \[things\]  \d+\.\d", read)
    assert re.search(r"✓ Putting: 3  \d+\.\d", put)
    assert printed(console).count("\n") == 3
    assert without.strip() == "✓ Without a duration"


def test_the_end_names_the_files_and_aligns_what_to_try_next() -> None:
    console = Terminal(file=io.StringIO(), width=40)
    progress_steps.print_results(console, 12.4, {"Picture": Path("a.png"), "Numbers": Path("b")})
    progress_steps.print_next(console, {"long command": "does one thing", "x": "another", "y": ""})
    assert printed(console).splitlines() == [
        "Done in 12 s. Picture: a.png. Numbers: b.",
        "",
        "Try next:",
        "  long command  does one thing",
        "  x             another",
        "  y",
    ]


def test_tables_fold_text_and_never_numbers() -> None:
    console = Terminal(file=io.StringIO(), width=30)
    table = demo_table("A [title]", "text", "n", numbers=("n",))
    table.add_row("xy " * 20, "123,456")
    console.print(table)
    text = printed(console)
    assert "A [title]" in text
    assert "123,456" in text
    assert text.count("xy") == 20
    assert "…" not in text


def test_latencies_are_milliseconds_and_no_calls_have_none() -> None:
    console = Terminal(file=io.StringIO(), width=80)
    console.print(latency_table({"rank": [0.001] * 98 + [0.5] * 2, "feedback": []}))
    rank, feedback = printed(console).splitlines()[-3:-1]
    assert rank.split() == ["rank", "100", "1.00", "500.00"]
    assert feedback.split() == ["feedback", "0", "–", "–"]
