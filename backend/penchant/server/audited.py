"""Calls that an auditor asks for later: each is in the audit log before the work on it begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from penchant.domain.caller import Caller
from penchant.domain.pseudonyms import name_of
from penchant.service.merge_users import MergeUsersRequest
from penchant.service.users import ExportUserRequest
from penchant.system.audit_log import LOCAL, AuditLog, digest_of


@dataclass(frozen=True, slots=True)
class Audited:
    """Writes the rows of the audited methods, for `Verb.audit`."""

    audit: AuditLog

    def forget(self, user: str, caller: Caller) -> None:
        """A deletion; a log that can't be written keeps nobody from being forgotten."""
        self.audit.note("forget_user", name_of(user), actor=_actor(caller))

    def export(self, request: ExportUserRequest, caller: Caller) -> None:
        """A page of an export: whoever asks for a later one alone has read it, too."""
        self.audit.add("export_user", name_of(request.user), _page(request), _actor(caller))

    def merge(self, request: MergeUsersRequest, caller: Caller) -> None:
        """A merge; the subject is the user that goes, the note names the other."""
        note = f"into {name_of(request.to_user)}"
        self.audit.add("merge_users", name_of(request.from_user), note, _actor(caller))

    def delete_items(self, ids: Sequence[str], caller: Caller) -> None:
        """A deletion of items."""
        self.audit.add("delete_items", digest_of(ids), f"{len(ids)} items", _actor(caller))


def _actor(caller: Caller) -> str:
    return caller.subject or LOCAL


def _page(request: ExportUserRequest) -> str:
    if request.kept is not None:
        return f"what is kept beside events, from row {request.kept.start}"
    if request.page is not None:
        return "the events" if request.page.most_version is None else "more of the events"
    return f"the events after version {request.after_version}"
