"""An import sends each good row once and sets each bad row aside once, however often it is cut."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.types import Event, Item
from penchant.logs import bulk_import
from penchant.logs.bulk_import import (
    ImportEventsRequest,
    ImportItemsRequest,
    ImportStage,
    SentBatch,
    import_events,
    import_items,
)

ROWS = st.lists(st.sampled_from(["good", "refused", "bad"]), max_size=30)


class CutOffError(Exception):
    pass


class Server:
    """Accepts events but those of the user `refused`; fails at given calls."""

    def __init__(self, cuts: set[int]) -> None:
        self.cuts = cuts
        self.calls = 0
        self.accepted: list[str] = []

    def send(self, events: Sequence[Event]) -> SentBatch:
        self.calls += 1
        if self.calls in self.cuts:
            raise CutOffError
        refused = {at: "no" for at, event in enumerate(events) if event.user == "refused"}
        good = [event.item for at, event in enumerate(events) if at not in refused]
        self.accepted += good
        return SentBatch({"accepted": len(good)}, refused)


def write(path: Path, kinds: Sequence[str]) -> Path:
    rows = [
        {"user": "" if kind == "bad" else kind, "item": str(row), "signal": "x", "occurred_at": 1}
        for row, kind in enumerate(kinds, start=1)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def rejected(path: Path) -> list[int]:
    file = path.with_name(path.name + ".rejected.jsonl")
    lines = file.read_text().splitlines() if file.exists() else []
    return [json.loads(line)["row"] for line in lines]


@given(kinds=ROWS, cuts=st.sets(st.integers(1, 12), max_size=3), size=st.integers(1, 4))
def test_every_row_is_done_once(kinds: list[str], cuts: set[int], size: int) -> None:
    server = Server(cuts)
    with TemporaryDirectory() as directory, pytest.MonkeyPatch().context() as patch:
        patch.setattr(bulk_import, "EVENTS_PER_CALL", size)
        path = write(Path(directory) / "rows.jsonl", kinds)
        for _ in range(len(cuts) + 1):
            try:
                report = import_events(ImportEventsRequest(path), "here", server.send)
                break
            except CutOffError:
                assert path.with_name("rows.jsonl.import.json").exists() or not server.accepted
        good = [str(row) for row, kind in enumerate(kinds, start=1) if kind == "good"]
        bad = [row for row, kind in enumerate(kinds, start=1) if kind != "good"]
        assert server.accepted == good
        assert rejected(path) == bad
        assert report.counts.get("accepted", 0) == len(good)
        assert report.counts.get("rejected", 0) == len(bad)
        assert not path.with_name("rows.jsonl.import.json").exists()


def test_rejected_rows_are_few_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_import, "_MOST_HELD", 3)
    path = write(tmp_path / "rows.jsonl", ["bad"] * 10)
    stages: list[ImportStage] = []
    import_events(ImportEventsRequest(path), "here", Server(set()).send, stages.append)
    assert [stage.row for stage in stages] == [0, 3, 6, 9, 10]
    assert rejected(path) == list(range(1, 11))


def test_two_items_with_one_id_never_share_a_call(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("id,text\n1,a\n2,b\n1,c\n2,d\n2,e\n")
    calls: list[list[str]] = []

    def send(items: Sequence[Item]) -> SentBatch:
        calls.append([item.text for item in items])
        return SentBatch({"new or changed": len(items)})

    import_items(ImportItemsRequest(path), "here", send)
    assert calls == [["a", "b"], ["c", "d"], ["e"]]


def test_a_rejected_row_of_a_text_file_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text('id,text\n1,"two\nlines"\n,none\n')
    import_items(ImportItemsRequest(path), "here", lambda items: SentBatch({"new": len(items)}))
    (line,) = path.with_name("items.csv.rejected.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "row": 2,
        "line": 4,
        "reason": "id: column 'id' is empty",
        "values": {"id": "", "text": "none"},
    }
