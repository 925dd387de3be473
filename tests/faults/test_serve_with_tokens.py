"""`penchant serve --token-keys`: health checks, commands, clients of ads and the clock of tenants
work for those who have a token, and a public server without any does not start."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import pytest

from penchant_sdk import AsyncPenchant, Event, Item, Penchant, Unauthenticated
from penchant_sdk.ads import AdClient, Campaign, Flight, Money
from tests.support.command import Ran, run
from tests.support.serve_process import FILMS, PATIENCE_S, ServeProcess, started, wait_until

pytestmark = pytest.mark.server


@dataclass(frozen=True)
class Served:
    serve: ServeProcess
    keys: Path
    token: Path
    """A file with a token of the tenant acme that may do everything."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("tokens")
    keys, token = directory / "tokens", directory / "token"
    assert run(["token", "keys", "--output", keys]).exit_code == 0
    issue = ["token", "issue", "--keys", keys, "--scope=admin", "--tenant=acme"]
    token.write_text(run(issue).stdout)
    # Other machines could reach it, if this one is reached by any.
    options = [f"--token-keys={keys / 'keys.json'}", "--host=0.0.0.0", "--refresh-every=500ms"]
    options += ["--set=signals=default,ads"]
    with started(directory, options) as serve:
        serve.wait_for("Ctrl-C stops it.")
        with Penchant(serve.target, timeout_s=30.0, token=token.read_text().strip()) as penchant:
            penchant.put_items(FILMS)
        yield Served(serve, keys, token)
    assert serve.backs() == 0  # No health check failed for want of a token.


def command(served: Served, *arguments: object, token: bool = True) -> Ran:
    shown = [f"--token-file={served.token}"] if token else []
    with mock.patch("penchant.cli.client.TIMEOUT_S", 60.0):  # The machine may be busy.
        return run([*arguments, f"--target={served.serve.target}", *shown])


def test_commands_work_with_a_token_and_say_what_they_lack_without(
    served: Served, tmp_path: Path
) -> None:
    items, events = tmp_path / "items.jsonl", tmp_path / "events.jsonl"
    items.write_text(json.dumps({"id": "1", "text": "red film"}) + "\n")
    event = {"user": "ann", "item": "1", "signal": "like", "occurred_at": 1_790_000_000}
    events.write_text(json.dumps(event) + "\n")
    for arguments in (
        ("import", "items", items),
        ("import", "events", events),
        ("feedback", "ann", "1", "like"),
        ("rank", "ann"),
        ("user", "ann"),
    ):
        done = command(served, *arguments)
        assert done.exit_code == 0, done.output
        refused = command(served, *arguments, token=False)
        assert refused.exit_code == 1
        assert "authorization: missing" in refused.output


def test_the_environment_gives_the_token_too(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENCHANT_TOKEN", served.token.read_text())
    assert command(served, "rank", "ann", token=False).exit_code == 0


def test_doctor_checks_with_a_token_and_asks_for_one(served: Served) -> None:
    health = served.serve.files / "health-token"
    for shown in (served.token, health):
        ran = run(["doctor", f"--target={served.serve.target}", f"--token-file={shown}"])
        assert "fail" not in ran.output
        lines = [line for line in ran.output.splitlines() if "penchant_" in line]
        # Not of the server: whether the compiled module is installed here.
        assert "warn" not in "".join(line for line in lines if "hot path" not in line)
    assert "--token-file FILE" in command(served, "doctor", token=False).output


def test_the_summary_says_who_may_call(served: Served) -> None:
    assert served.serve.said("callers").startswith("with a token of a key in ")


def test_clients_of_ads_and_of_asyncio_show_the_token(served: Served) -> None:
    token = served.token.read_text().strip()
    year = Flight(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    tents = Campaign("tents", "red film", "Oak", year, Money.of(500), Money.of("0.40"))
    with Penchant(served.serve.target, timeout_s=30.0, token=lambda: token) as penchant:
        AdClient(penchant).put_campaigns([tents])

    async def fetched() -> str:
        await asyncio.sleep(0)
        return token

    async def asked(token: str | Callable[[], Awaitable[str]] | None) -> int:
        async with AsyncPenchant(served.serve.target, timeout_s=30.0, token=token) as penchant:
            return len((await penchant.rank("ann")).items)

    assert asyncio.run(asked(token)) > 0
    assert asyncio.run(asked(fetched)) > 0
    with pytest.raises(Unauthenticated, match="missing"):
        asyncio.run(asked(None))


def test_the_clock_refreshes_the_store_of_a_tenant(served: Served) -> None:
    token = served.token.read_text().strip()
    with Penchant(served.serve.target, timeout_s=30.0, token=token) as penchant:
        before = penchant.rank("somebody").catalog_version
        events = [
            Event(f"user-{n % 9}", FILMS[n % 2].id, "like", event_id=f"e{n}") for n in range(120)
        ]
        penchant.feedback(events).raise_for_refused()
        log = served.serve.files / "refresh.log"
        wait_until(lambda: "Tenant acme: Refreshed" in log.read_text(), "a refresh")
        assert penchant.rank("somebody").catalog_version > before


def test_tenants_with_the_same_ids_never_meet(served: Served) -> None:
    issue = ["token", "issue", "--keys", served.keys, "--scope=admin", "--tenant=bravo"]
    other = run(issue).stdout.strip()
    mine = served.token.read_text().strip()
    with (
        Penchant(served.serve.target, timeout_s=30.0, token=mine) as acme,
        Penchant(served.serve.target, timeout_s=30.0, token=other) as bravo,
    ):
        bravo.put_items([Item("film-0", "old film"), Item("bravos", "blue film")])
        assert bravo.get_items(["film-1"]).unknown == ("film-1",)
        assert acme.get_items(["bravos"]).unknown == ("bravos",)
        for penchant, signal in ((acme, "like"), (bravo, "dislike")):
            ack = penchant.feedback([Event("eve", "film-0", signal, event_id="same")])
            ack.raise_for_refused()
            assert ack.state_version("eve") == 1
        assert [row.event.signal for row in acme.export_user("eve").events] == ["like"]
        assert bravo.forget_user("eve").deleted_events == 1
        assert acme.user("eve").state_version == 1
    # Who exported and who forgot is in the audit log of the tenant.
    store = f"{served.serve.said('store')}/tenants/bravo"
    shown = run(["audit", "show", "--store", store]).output
    assert re.search(r"developer\W+forget_user", shown), shown


def test_a_public_server_without_tokens_does_not_start(tmp_path: Path) -> None:
    with started(tmp_path, ["--host=0.0.0.0"]) as serve:
        serve.wait_for("--insecure")
        assert serve.process.wait(PATIENCE_S) == 1
