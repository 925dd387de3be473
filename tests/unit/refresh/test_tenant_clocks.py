"""The clocks of tenants: each store is looked at in its turn, and new ones are noticed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from penchant.refresh.refresh import RefreshRequest
from penchant.refresh.refresh_clock import ClockLook, RefreshClock
from penchant.refresh.tenant_clocks import LOOK_S, TenantClocks


def test_each_store_is_looked_at_when_it_is_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    now = 0.0

    def look(clock: RefreshClock) -> ClockLook:
        looks.append(Path(clock.request.store).name)
        return ClockLook("waits", f"look {len(looks)}", clock.every_s)

    monkeypatch.setattr(RefreshClock, "look", look)
    monkeypatch.setattr(time, "monotonic", lambda: now)
    clocks = TenantClocks(RefreshRequest(store=f"lmdb:{tmp_path}"), every_s=60.0)
    said: list[str] = []

    def looked() -> list[str]:
        looks.clear()
        assert 0.0 <= clocks.look_at_all(said.append) <= LOOK_S
        return [name for name in looks if name != tmp_path.name] if looks else []

    def add(tenant: str) -> None:
        (tmp_path / "tenants" / tenant).mkdir(parents=True)
        (tmp_path / "tenants" / tenant / "data.mdb").touch()

    assert looked() == []
    add("bravo")
    assert looked() == ["bravo"]
    now = 30.0
    add("acme")
    assert looked() == ["acme"]
    assert looked() == []
    now = 60.0
    assert looked() == ["bravo"]
    now = 200.0
    assert looked() == ["acme", "bravo"]
    (tmp_path / "tenants" / "bravo" / "data.mdb").unlink()
    now = 300.0
    assert looked() == ["acme"]
    assert "Tenant acme: look" in " ".join(said)
