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
    """Writes the audited methods' requests, which have been checked, with their callers."""

    audit: AuditLog

    def forget(self, user: str, caller: Caller) -> None:
        """A deletion; a log that can't be written keeps nobody from being forgotten."""
        self.audit.note("forget_user", name_of(user), actor=_actor(caller))

    def export(self, request: ExportUserRequest, caller: Caller) -> None:
        """An export, by its first page."""
        if _is_first_page(request):
            self.audit.add("export_user", name_of(request.user), actor=_actor(caller))

    def merge(self, request: MergeUsersRequest, caller: Caller) -> None:
        """A merge; the subject is the user that goes, the note names the other."""
        self.audit.add(
            "merge_users",
            name_of(request.from_user),
            f"into {name_of(request.to_user)}",
            _actor(caller),
        )

    def delete_items(self, ids: Sequence[str], caller: Caller) -> None:
        """A deletion of items."""
        self.audit.add("delete_items", digest_of(ids), f"{len(ids)} items", _actor(caller))


def _actor(caller: Caller) -> str:
    """The caller's name at its issuer; `local` where callers have no identity."""
    return caller.subject or LOCAL


def _is_first_page(request: ExportUserRequest) -> bool:
    if request.kept is not None:
        return request.kept.start == 0
    page = request.page
    return request.after_version == 0 and (page is None or page.most_version is None)
