"""Tenants by separation: each has a store and a catalog of its own, and an app in each process.

What one tenant's app reads or writes lies in that tenant's directory, so no key, list, count,
budget or error can cross. Tenants share the processes, the settings and the encoder.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from penchant.config import Config
from penchant.domain.errors import InternalError, PenchantError, PermissionDenied
from penchant.server.app import App
from penchant.server.dispatch import Answer, ParsedCall
from penchant.service.attempt import attempt
from penchant.store.address import (
    NAMESPACE_LENGTH,
    directory_of,
    is_network,
    parts_of,
    with_namespace,
)
from penchant.store.network_store import in_network
from penchant.store.open import open_store

TENANTS = "tenants"
"""Directory, inside the server's own store, catalog and releases, with one folder per tenant."""


def tenant_config(config: Config, tenant: str) -> Config:
    """The settings of a tenant's app: the server's, with places of the tenant's own."""
    within = Path(TENANTS) / tenant
    return dataclasses.replace(
        config,
        store=tenant_store(config.store, tenant),
        state_dir=config.state_dir and config.state_dir / within,
        catalog_dir=config.catalog_dir and config.catalog_dir / within,
        releases_dir=config.releases_dir and config.releases_dir / within,
    )


def tenant_stores(address: str) -> list[str]:
    """The addresses of the stores of all tenants of a server, by its own store's address.

    Raises:
        StoreUnavailable: the store is one in a network, and does not answer.
    """
    place = directory_of(address)
    if place is not None:
        return [f"lmdb:{path.parent}" for path in sorted((place / TENANTS).glob("*/data.mdb"))]
    if not is_network(address):
        return []
    store = open_store(address)
    try:
        names = in_network(store).tenants()
    finally:
        store.close()
    return [tenant_store(address, name) for name in names]


def tenant_pairs(source: str, target: str) -> list[tuple[str, str, str]]:
    """The tenants of one store, each with the address of its store there and at another place.

    Raises:
        PermissionDenied: a tenant's name is too long for the other place.
        StoreUnavailable: the store is one in a network, and does not answer.
    """
    place = directory_of(source)
    names = []
    for address in tenant_stores(source):
        its = directory_of(address)
        names.append(its.name if its and place else _tenant_in(address, source))
        check_tenant(target, names[-1])
    return [(name, tenant_store(source, name), tenant_store(target, name)) for name in names]


def _tenant_in(address: str, source: str) -> str:
    """The tenant of a store in a network, by the addresses of both."""
    before = tenant_store(source, "").partition("?")[0]
    return address.partition("?")[0].removeprefix(before)


def note_tenant(address: str, tenant: str) -> None:
    """Notes in a server's store in a network that a tenant has one beside it.

    Raises:
        StoreUnavailable: it does not answer.
    """
    store = open_store(address)
    try:
        in_network(store).note_tenant(tenant)
    finally:
        store.close()


def tenant_store(address: str, tenant: str) -> str:
    """The address of a tenant's store: a directory in the server's, or a namespace of its own."""
    place = directory_of(address)
    if place is not None:
        return f"lmdb:{place / TENANTS / tenant}"
    return with_namespace(address, f":{TENANTS}:{tenant}") if is_network(address) else address


def check_tenant(address: str, tenant: str) -> None:
    """Checks that a tenant can have a store beside a server's.

    Raises:
        PermissionDenied: its namespace would be too long; the text says what to choose.
    """
    if not is_network(address):
        return
    length = len(parts_of(tenant_store(address, tenant)).namespace)
    if length > NAMESPACE_LENGTH:
        raise PermissionDenied(
            f"tenant: got {tenant!r}, whose store would have a namespace of {length} characters, "
            f"expected at most {NAMESPACE_LENGTH}; choose a shorter name for the tenant, or a "
            "shorter namespace for the server's own store",
            "tenant",
        )


class TenantApps:
    """The app of the server's own store, and those of the tenants, made at their first call."""

    def __init__(self, own: App, config: Config, build: Callable[[str, Config], App]) -> None:
        """Makes no tenant's app yet.

        Args:
            own: answers callers without a tenant.
            config: the server's settings.
            build: makes the app of a tenant, from its name and settings.
        """
        self._own = own
        self._config = config
        self._build = build
        self._apps: dict[str, App] = {}
        self._lock = threading.Lock()

    def answer(self, calls: Sequence[ParsedCall]) -> list[Answer]:
        """One reply or error per call, in order; each tenant's calls are answered by its app."""
        tenants = dict.fromkeys([call.caller.tenant for call in calls])
        if len(tenants) == 1:
            return self._answer(calls[0].caller.tenant, calls)
        replies: list[Answer] = [InternalError()] * len(calls)
        for tenant in tenants:
            places = [place for place, call in enumerate(calls) if call.caller.tenant == tenant]
            answers = self._answer(tenant, [calls[place] for place in places])
            for place, answer in zip(places, answers, strict=True):
                replies[place] = answer
        return replies

    def slices(self, call: ParsedCall) -> Generator[None, None, Answer]:
        """The work on one call, in slices; see `Dispatch.slices`."""
        app = attempt(self._app, call.caller.tenant)
        if isinstance(app, PenchantError):
            return app
        return (yield from app.dispatch.slices(call))

    def close(self) -> None:
        """Closes the apps of the tenants; the own one is its maker's."""
        with self._lock:
            for app in self._apps.values():
                app.close()
            self._apps.clear()

    def _answer(self, tenant: str, calls: Sequence[ParsedCall]) -> list[Answer]:
        app = attempt(self._app, tenant)
        if isinstance(app, PenchantError):
            return [app] * len(calls)
        return app.dispatch.answer(calls)

    def _app(self, tenant: str) -> App:
        if not tenant:
            return self._own
        app = self._apps.get(tenant)
        if app is not None:
            return app
        with self._lock:
            app = self._apps.get(tenant)
            if app is None:
                settings = tenant_config(self._config, tenant)
                self._check_room(tenant, settings)
                app = self._apps[tenant] = self._build(tenant, settings)
            return app

    def _check_room(self, tenant: str, settings: Config) -> None:
        """Refuses a new tenant beyond the limit; one that has a store is never new.

        Raises:
            PermissionDenied: there are as many tenants as there may be, or this one's name is too
                long for the server's store.
        """
        check_tenant(self._config.store, tenant)
        directory = directory_of(settings.store)
        if directory is not None:
            if directory.is_dir() or not directory.parent.is_dir():
                return
            others = sum(1 for _ in directory.parent.iterdir())
        elif is_network(settings.store):
            known = in_network(self._own.store).tenants()
            if tenant in known:
                return
            others = len(known)
        else:
            others = len(self._apps)
        if others >= self._config.tenant_limit:
            raise PermissionDenied(
                f"tenant: got {tenant!r}, which is new, but this server holds as many as it may "
                "(setting tenant_limit)",
                "tenant_limit",
            )
        if is_network(settings.store):
            in_network(self._own.store).note_tenant(tenant)
