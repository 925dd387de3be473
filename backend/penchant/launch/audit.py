"""Reading and verifying the audit log beside a store, whether or not a server runs."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated

from penchant.domain.errors import ConfigError
from penchant.launch.model_parameters import is_store, state_directory
from penchant.store.address import is_network
from penchant.system.audit_check import AuditCheck, read_audit_log, verify_audit_log
from penchant.system.audit_log import AUDIT, AuditRow
from penchant.system.option_types import STORE_IN_USE
from penchant.system.redacted_address import redacted


@dataclass(frozen=True, slots=True)
class VerifyAuditRequest:
    """The log to verify."""

    _: KW_ONLY
    store: Annotated[str, STORE_IN_USE]
    """Store of the server: lmdb:DIRECTORY or valkey://…/NAMESPACE."""
    since: str = ""
    """A head that an earlier verification printed, which the log must still hold."""


@dataclass(frozen=True, slots=True)
class ShowAuditRequest:
    """The rows to show."""

    _: KW_ONLY
    store: Annotated[str, STORE_IN_USE]
    """Store of the server: lmdb:DIRECTORY or valkey://…/NAMESPACE."""
    last: int = 50
    """Number of latest rows."""
    verb: str = ""
    """Rows of this verb alone."""


def verify_audit(request: VerifyAuditRequest) -> AuditCheck:
    """Verifies a store's audit log; raises ConfigError if there is no such store."""
    return verify_audit_log(_directory(request.store), request.since)


def show_audit(request: ShowAuditRequest) -> list[AuditRow]:
    """The latest rows, oldest first; raises ConfigError if there is no such store."""
    rows = read_audit_log(_directory(request.store))
    chosen = [row for row in rows if request.verb in ("", row.verb)]
    return chosen[-request.last :] if request.last > 0 else []


def _directory(address: str) -> Path:
    place = state_directory(address)
    if place is None or not (is_network(address) or is_store(place)):
        raise ConfigError(
            f"store: got {redacted(address)!r}, expected lmdb:DIRECTORY of a store, or the address "
            "of one in Valkey; name that"
        )
    if not place.is_dir():
        raise ConfigError(
            f"store: no server of {redacted(address)} has kept an audit log in {place}; each "
            "server keeps its own: run this on its machine, in its directory"
        )
    return place / AUDIT
