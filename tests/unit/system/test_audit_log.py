"""The audit log: any altered byte is found, and a kill is not taken for one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from penchant.domain.errors import StoreUnavailable
from penchant.system import audit_log
from penchant.system.audit_check import read_audit_log, verify_audit_log
from penchant.system.audit_log import AuditLog, audit_files

WRITER = """
import sys
from pathlib import Path
from penchant.system.audit_log import AuditLog
log = AuditLog(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    log.add("forget_user", f"p0~{number}", actor=sys.argv[3])
    print(number, flush=True)
"""


def written(directory: Path, rows: int) -> bytes:
    log = AuditLog(directory)
    for number in range(rows):
        log.add("forget_user", f"p0~{number}", note="by the user's wish")
    (path,) = audit_files(directory)
    return path.read_bytes()


def test_every_altered_byte_is_found(tmp_path: Path) -> None:
    whole = written(tmp_path, 2)
    (path,) = audit_files(tmp_path)
    assert (verify_audit_log(tmp_path).rows, verify_audit_log(tmp_path).faults) == (2, [])
    for place in range(len(whole)):
        for altered in (whole[place] ^ 1, 0x0A):
            if altered != whole[place]:
                path.write_bytes(whole[:place] + bytes([altered]) + whole[place + 1 :])
                check = verify_audit_log(tmp_path)
                assert check.faults, (place, altered)
                assert check.rows < 2


def test_a_torn_end_is_no_fault_and_the_next_row_takes_its_place(tmp_path: Path) -> None:
    whole = written(tmp_path, 2)
    (path,) = audit_files(tmp_path)
    begins = whole.index(b"\n") + 1
    for end in range(begins + 1, len(whole)):
        path.write_bytes(whole[:end])
        check = verify_audit_log(tmp_path)
        assert (check.rows, check.torn_bytes, check.faults) == (1, end - begins, [])
    AuditLog(tmp_path).add("export_user")
    assert [row.verb for row in read_audit_log(tmp_path)] == ["forget_user", "mend", "export_user"]
    check = verify_audit_log(tmp_path)
    assert (check.rows, check.torn_bytes, check.faults) == (3, 0, [])


def test_rows_that_are_cut_off_swapped_or_written_anew_are_found(tmp_path: Path) -> None:
    whole = written(tmp_path, 3)
    (path,) = audit_files(tmp_path)
    noted = verify_audit_log(tmp_path).head
    first, second, third = whole.splitlines(keepends=True)
    for altered in (second + third, first + third, first + third + second, first * 2 + second):
        path.write_bytes(altered)
        assert verify_audit_log(tmp_path).faults
    path.write_bytes(first + second)
    assert verify_audit_log(tmp_path).faults == []  # A log alone can't tell.
    assert "cut or rewritten" in verify_audit_log(tmp_path, noted).faults[0]
    path.unlink()
    written(tmp_path, 5)
    assert verify_audit_log(tmp_path, noted).faults
    assert verify_audit_log(tmp_path, verify_audit_log(tmp_path).head).faults == []


def test_an_altered_end_takes_no_more_rows(tmp_path: Path) -> None:
    whole = written(tmp_path, 2)
    (path,) = audit_files(tmp_path)
    path.write_bytes(whole.replace(b"p0~1", b"p0~7"))
    with pytest.raises(StoreUnavailable, match="the end of the log was altered"):
        AuditLog(tmp_path).add("export_user")


def test_a_full_file_is_followed_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_log, "FILE_BYTES", 500)
    for number in range(12):
        AuditLog(tmp_path).add("export_user", str(number))
    assert len(audit_files(tmp_path)) > 2
    check = verify_audit_log(tmp_path)
    assert (check.rows, check.faults) == (12, [])
    audit_files(tmp_path)[1].unlink()
    assert verify_audit_log(tmp_path).faults


def test_a_log_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "audit").touch()
    with pytest.raises(StoreUnavailable, match="audit: the log can't be written"):
        AuditLog(tmp_path / "audit").add("export_user")


def test_writers_that_are_killed_and_others_beside_them_keep_one_whole_chain(
    tmp_path: Path,
) -> None:
    acked: dict[str, int] = {}
    for round_ in range(3):
        names = [f"{round_}-{place}" for place in range(2)]
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, str(tmp_path), "10000", name],
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
            for name in names
        ]
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        time.sleep(0.05)
        for name, process in zip(names, processes, strict=True):
            process.send_signal(signal.SIGKILL)
            rest = process.communicate()[0].split()
            acked[name] = 1 + len(rest)
    AuditLog(tmp_path).add("export_user")
    check = verify_audit_log(tmp_path)
    assert check.faults == []
    rows = list(read_audit_log(tmp_path))
    for name, count in acked.items():
        assert sum(row.actor == name for row in rows) >= count
