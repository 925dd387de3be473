"""The audit log names the caller of each export, deletion and merge, before the work begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.config import parse
from penchant.domain.caller import Caller, Scope
from penchant.domain.errors import StoreUnavailable
from penchant.encoder.library import EncoderLibrary
from penchant.server.app import App, build
from penchant.server.in_process import MODELS
from penchant.service.meter import SilentMeter
from penchant.system.audit_check import read_audit_log, verify_audit_log
from penchant.system.audit_log import audit_files
from penchant_proto.v1.service_pb2 import Call, Reply
from tests.support.command import run
from tests.support.watched_encoder import WatchedEncoder

DESK = Caller("", "privacy desk", frozenset({Scope.ADMIN}))


@pytest.fixture
def app(tmp_path: Path) -> App:
    settings = {"store": f"lmdb:{tmp_path / 'store'}", "encoder": str(tmp_path)}
    return build(MODELS, parse(settings), EncoderLibrary(WatchedEncoder()), SilentMeter())


def call_of(field: str, **fields: object) -> Call:
    call = Call()
    message = getattr(call, field)
    for name, value in fields.items():
        setattr(message, name, value)
    return call


def answered(app: App, call: Call, caller: Caller) -> object:
    parsed = app.dispatch.parse(call.SerializeToString(), caller)
    assert not isinstance(parsed, Exception)
    return app.dispatch.answer([parsed])[0]


def fed(app: App) -> None:
    put, feedback = Call(), Call()
    put.put_items.items.add(id="toy", text="toy story")
    feedback.feedback.events.add(event_id="e", user="ann", item="toy", signal="like")
    for call in (put, feedback):
        assert isinstance(app.handle(call.SerializeToString()), Reply)


def test_each_row_names_the_caller_and_the_digest_of_whom(app: App, tmp_path: Path) -> None:
    fed(app)
    answered(app, call_of("export_user", user="ann"), DESK)
    answered(app, call_of("export_user", user="ann", kept_from=1), DESK)  # Without the first page.
    answered(app, call_of("merge_users", from_user="ann", to_user="ben"), DESK)
    answered(app, call_of("forget_user", user="ben"), DESK)
    answered(app, call_of("forget_user", user=""), DESK)  # Refused, so nothing is done.
    app.close()
    rows = [row for row in read_audit_log(tmp_path / "store" / "audit") if row.verb != "settings"]
    assert [row.verb for row in rows] == ["export_user"] * 2 + ["merge_users", "forget_user"]
    assert {row.actor for row in rows} == {"privacy desk"}
    assert rows[0].subject == rows[1].subject == rows[2].subject != rows[3].subject
    assert not any("ann" in row.subject + row.note for row in rows)
    (path,) = audit_files(tmp_path / "store" / "audit")
    assert path.stat().st_mode & 0o077 == 0


def test_what_cannot_be_noted_is_not_done_except_to_forget(app: App, tmp_path: Path) -> None:
    fed(app)
    audit = tmp_path / "store" / "audit"
    for path in audit_files(audit):
        path.write_bytes(path.read_bytes() + b"{}\n")
    for call in (
        call_of("export_user", user="ann"),
        call_of("merge_users", from_user="ann", to_user="ben"),
    ):
        assert isinstance(answered(app, call, DESK), StoreUnavailable)
    assert isinstance(answered(app, call_of("forget_user", user="ann"), DESK), Reply)
    assert verify_audit_log(audit).faults


def test_commands_show_and_verify_the_log(app: App, tmp_path: Path) -> None:
    fed(app)
    answered(app, call_of("forget_user", user="ann"), DESK)
    app.close()
    store = ["--store", f"lmdb:{tmp_path / 'store'}"]
    shown = run(["audit", "show", *store, "--verb", "forget_user"])
    assert (shown.exit_code, "privacy desk" in shown.output) == (0, True)
    whole = run(["audit", "verify", *store])
    assert (whole.exit_code, "whole" in whole.output) == (0, True)
    head = verify_audit_log(tmp_path / "store" / "audit").head
    assert run(["audit", "verify", *store, "--since", head]).exit_code == 0
    (path,) = audit_files(tmp_path / "store" / "audit")
    path.write_bytes(path.read_bytes().replace(b"privacy desk", b"somebody els"))
    altered = run(["audit", "verify", *store])
    assert (altered.exit_code, "was altered" in altered.output) == (2, True)


def test_a_store_expires_by_its_setting_or_by_the_option(app: App, tmp_path: Path) -> None:
    fed(app)
    app.close()
    store = ["--store", f"lmdb:{tmp_path / 'store'}"]
    assert run(["expire", *store]).exit_code == 1
    assert "0 events" in run(["expire", *store, "--days", "1"]).output
    assert "1 event " in run(["expire", *store, "--days", "0.0000001"]).output
