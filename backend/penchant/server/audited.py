"""Calls that an auditor asks for later: each is in the audit log before the work on it begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from penchant.domain.pseudonyms import name_of
from penchant.service.merge_users import MergeUsersRequest
from penchant.service.users import ExportUserRequest
from penchant.system.audit_log import LOCAL, AuditLog, digest_of

Ids = Sequence[str]


@dataclass(frozen=True, slots=True)
class Audited:
    """The checks of the audited methods; each passes a request on once it is in the log."""

    audit: AuditLog
    actor: str = LOCAL
    """Who calls."""

    def forget(self, check: Callable[[str], str]) -> Callable[[str], str]:
        """A deletion; a log that can't be written keeps nobody from being forgotten."""

        def checked(user: str) -> str:
            user = check(user)
            self.audit.note("forget_user", name_of(user), actor=self.actor)
            return user

        return checked

    def export(
        self, check: Callable[[ExportUserRequest], ExportUserRequest]
    ) -> Callable[[ExportUserRequest], ExportUserRequest]:
        """An export, by its first page."""

        def checked(request: ExportUserRequest) -> ExportUserRequest:
            request = check(request)
            if _is_first_page(request):
                self.audit.add("export_user", name_of(request.user), actor=self.actor)
            return request

        return checked

    def merge(
        self, check: Callable[[MergeUsersRequest], MergeUsersRequest]
    ) -> Callable[[MergeUsersRequest], MergeUsersRequest]:
        """A merge; the subject is the user that goes, the note names the other."""

        def checked(request: MergeUsersRequest) -> MergeUsersRequest:
            request = check(request)
            self.audit.add(
                "merge_users",
                name_of(request.from_user),
                f"into {name_of(request.to_user)}",
                self.actor,
            )
            return request

        return checked

    def delete_items(self, check: Callable[[Ids], Ids]) -> Callable[[Ids], Ids]:
        """A deletion of items."""

        def checked(ids: Ids) -> Ids:
            ids = check(ids)
            self.audit.add("delete_items", digest_of(ids), f"{len(ids)} items", self.actor)
            return ids

        return checked


def _is_first_page(request: ExportUserRequest) -> bool:
    if request.kept is not None:
        return request.kept.start == 0
    page = request.page
    return request.after_version == 0 and (page is None or page.most_version is None)
