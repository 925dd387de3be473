"""Files compared with a manifest."""

from __future__ import annotations

import hashlib
from pathlib import Path

from penchant.evaluation.gates.integrity import check_files
from penchant.evaluation.gates.verdict import GateOutcome, Verdict


def test_each_file_of_the_manifest_is_judged(tmp_path: Path) -> None:
    (tmp_path / "encoder").mkdir()
    contents = {"encoder/encoder.onnx": b"graph", "vectors.f32": b"numbers"}
    sums = {}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        sums[name] = hashlib.sha256(content).hexdigest()
    assert Verdict(check_files(tmp_path, sums)).passed
    (tmp_path / "encoder/encoder.onnx").write_bytes(b"graqh")
    found = check_files(tmp_path, {**sums, "gone.json": "00", "../outside": "00"})
    assert [(one.cohort, one.outcome) for one in found] == [
        ("../outside", GateOutcome.REFUSED),
        ("encoder/encoder.onnx", GateOutcome.REFUSED),
        ("gone.json", GateOutcome.REFUSED),
        ("vectors.f32", GateOutcome.PASSED),
    ]
    assert "lies outside" in found[0].note
    assert "is not the file that the manifest names" in found[1].note
    assert "No such file" in found[2].note
