"""A server that asks for tokens lets nobody else in: by gRPC, by HTTP, by whatever trick.

Each refusal has its reason, writes nothing, and is counted; the last test compares the counts.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from penchant.domain.caller import ISSUED, SCOPES_OF_VERB, Scope
from penchant.launch import Server, probe
from penchant.launch.model_parameters import gather
from penchant.server.identity.token_check import MOST_TOKEN_BYTES, SKEW_S
from penchant.server.tenants import tenant_stores
from penchant.store.open import open_store
from penchant_proto.methods import METHODS
from penchant_proto.v1.item_pb2 import Item as ItemMessage
from penchant_proto.v1.service_pb2 import Call, Reply
from penchant_sdk import Event, Item, Overloaded, Penchant, PermissionDenied, Unauthenticated
from tests.integration.test_metrics import Series, scrape, settled
from tests.support.issuers import CLAIMS, Issuer, encoded, part, write_keys
from tests.support.knocker import Headers, Knocker, bearer
from tests.support.serve_process import wait_until
from tests.support.word_encoder import write_word_encoder

pytestmark = pytest.mark.server

ITEM = ItemMessage(id="stolen", text="red film")


def calls() -> dict[str, Call]:
    """A call of every method, which would write if it could."""
    every = {method: Call() for method in METHODS}
    every["rank"].rank.user, every["rank"].rank.k = "ann", 3
    every["feedback"].feedback.events.add(event_id="x", user="ann", item="a", signal="like")
    every["reserve"].reserve.user, every["reserve"].reserve.recommendation_id = "ann", "r"
    every["reserve"].reserve.n = 1
    every["reserve"].reserve.options.add(item="a")
    every["put_items"].put_items.items.append(ITEM)
    every["delete_items"].delete_items.ids.append("a")
    every["get_items"].get_items.ids.append("a")
    every["get_user"].get_user.user = "ann"
    every["export_user"].export_user.user = "ann"
    every["export_user"].export_user.limit = 10
    every["forget_user"].forget_user.user = "ann"
    every["merge_users"].merge_users.from_user = "ann"
    every["merge_users"].merge_users.to_user = "bob"
    every["embed"].embed.texts.append("red")
    return every


@dataclass
class Site:
    """A server with two tenants, and everybody who signs tokens."""

    server: Server
    store: str
    keys: Path
    knocker: Knocker
    honest: Issuer
    rsa: Issuer
    acmes: Issuer
    """Speaks for the tenant acme alone."""
    stranger: Issuer
    """Not in the server's file."""
    counted: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Refusals to expect in the metrics, by cause and tenant."""

    def refused(self, reason: str, cause: str, tenant: str, answer: Reply | str) -> str:
        """Checks that an answer is such a refusal and says nothing of the inside; expects it in the
        counts."""
        assert isinstance(answer, str), answer
        assert answer.startswith(f"[{reason}] "), answer
        for secret in ("Traceback", ".py", "/tmp", "/home", str(self.keys)):
            assert secret not in answer
        self.counted[cause, tenant] += 1
        return answer

    def client(self, token: str | Callable[[], str]) -> Penchant:
        return Penchant(self.server.target, timeout_s=60.0, token=token)

    def rows(self, tenant: str) -> dict[bytes, bytes]:
        """Every row of a tenant's store; without a name, of the server's own."""
        address = f"{self.store}/tenants/{tenant}" if tenant else self.store
        return self.content()[address]

    def content(self) -> dict[str, dict[bytes, bytes]]:
        """Every row of every store."""
        found = {}
        for address in [self.store, *tenant_stores(self.store)]:
            store = open_store(address, map_bytes=0)
            with store.snapshot() as snapshot:
                found[address] = {bytes(key): bytes(row) for key, row in snapshot.scan(b"")}
            store.close()
        return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("site")
    encoder = write_word_encoder(directory / "encoder", ["red blue film"], dimensions=8, seed=1)
    honest, rsa = Issuer("honest"), Issuer("rsa", "RS256")
    acmes = Issuer("acmes", tenants=["acme"])
    keys = write_keys(directory / "keys.json", honest, rsa, acmes)
    parameters = gather(f"lmdb:{directory / 'store'}", encoder, [f"token_keys={keys}"])
    server = Server(directory / "server", parameters, instances={"penchant_rank": 1})
    with server, Knocker(server.target, server.http_url) as knocker:
        site = Site(
            server, parameters["store"], keys, knocker, honest, rsa, acmes, Issuer("stranger")
        )
        for tenant in ("acme", "bravo"):
            with site.client(honest.token("admin", tenant)) as penchant:
                penchant.put_items([Item("a", "red film"), Item("b", "blue film")])
                penchant.feedback([Event("ann", "a", "like", event_id=f"{tenant}-1")])
        yield site
    assert "Traceback" not in server.log_path.read_text(errors="replace")


@pytest.fixture
def unchanged(site: Site) -> Iterator[None]:
    """Nothing is written, in any store, and no tenant appears."""
    before = site.content()
    yield
    assert site.content() == before


Forge = Callable[[Site], Headers]


def altered(site: Site) -> Headers:
    """A good token whose claims were changed to name another tenant."""
    header, _, signature = site.honest.token("admin", "acme").split(".")
    claims = {**CLAIMS, "exp": time.time() + 300, "scope": "admin", "tenant": "bravo"}
    return bearer(f"{header}.{part(claims)}.{signature}")


def unsigned(site: Site) -> Headers:
    claims = {**CLAIMS, "exp": time.time() + 300, "scope": "admin", "tenant": "acme"}
    return bearer(f"{part({'alg': 'none', 'kid': site.honest.kid})}.{part(claims)}.")


def imposter(site: Site) -> Headers:
    """Signed by a stranger who names a trusted key."""
    return bearer(site.stranger.token("admin", "acme", header={"kid": site.honest.kid}))


def long_ago(site: Site) -> Headers:
    return bearer(site.honest.token("admin", "acme", exp=time.time() - SKEW_S - 5))


def to_come(site: Site) -> Headers:
    return bearer(site.honest.token("admin", "acme", nbf=time.time() + SKEW_S + 600))


def oversized(site: Site) -> Headers:
    return bearer(site.honest.token("admin", "acme", filler="x" * MOST_TOKEN_BYTES))


def other_algorithm(site: Site) -> Headers:
    """The header names the algorithm of another key."""
    _, claims, signature = site.honest.token("admin", "acme").split(".")
    return bearer(f"{part({'alg': 'RS256', 'kid': site.honest.kid})}.{claims}.{signature}")


def claims_twice(site: Site) -> Headers:
    """A signed object with one claim given twice."""
    now = int(time.time())
    text = f'{{"iss":"penchant","aud":"penchant","sub":"s","scope":"admin","exp":{now + 99},'
    text += '"tenant":"acme","tenant":"bravo"}'
    return bearer(site.honest.sign({"alg": "EdDSA", "kid": "honest"}, text.encode()))


BAD: dict[str, tuple[Forge, str]] = {
    "no token": (lambda site: (), "missing"),
    "expired": (long_ago, "expired"),
    "not valid yet": (to_come, "not_yet_valid"),
    "issued in the future": (
        lambda site: bearer(site.honest.token("admin", "acme", iat=time.time() + SKEW_S + 600)),
        "not_yet_valid",
    ),
    "never expires": (
        lambda site: bearer(site.honest.token("admin", "acme", exp=None)),
        "malformed",
    ),
    "of another issuer": (
        lambda site: bearer(site.honest.token("admin", "acme", iss="else")),
        "issuer",
    ),
    "for another service": (
        lambda site: bearer(site.honest.token("admin", "acme", aud=["else"])),
        "audience",
    ),
    "altered to name another tenant": (altered, "signature"),
    "signed by a stranger": (
        lambda site: bearer(site.stranger.token("admin", "acme")),
        "key",
    ),
    "signed by a stranger in another's name": (imposter, "signature"),
    "unsigned": (unsigned, "algorithm"),
    "the public key as a shared secret": (
        lambda site: bearer(site.rsa.confused("acme")),
        "algorithm",
    ),
    "the algorithm of another key": (other_algorithm, "algorithm"),
    "an unknown crit": (
        lambda site: bearer(
            f"{part({'alg': 'EdDSA', 'kid': 'honest', 'crit': ['x'], 'x': 1})}."
            + site.honest.token("admin", "acme").partition(".")[2]
        ),
        "algorithm",
    ),
    "no kid": (
        lambda site: bearer(
            f"{part({'alg': 'EdDSA'})}." + site.honest.token("admin", "acme").partition(".")[2]
        ),
        "malformed",
    ),
    "a claim given twice": (claims_twice, "malformed"),
    "oversized": (oversized, "oversized"),
    "no token at all": (lambda site: bearer("nonsense"), "malformed"),
    "three parts of nothing": (lambda site: bearer("..."[:2]), "malformed"),
    "parts that are no JSON": (
        lambda site: bearer(f"{encoded(b'[')}.{encoded(b'[')}.{encoded(b'x')}"),
        "malformed",
    ),
    "another scheme": (lambda site: (("authorization", "Basic YTpi"),), "malformed"),
    "two headers": (
        lambda site: [*bearer(site.honest.token("admin", "acme"))] * 2,
        "duplicate",
    ),
    "two headers of two tenants": (
        lambda site: (
            *bearer(site.honest.token("admin", "acme")),
            *bearer(site.honest.token("admin", "bravo")),
        ),
        "duplicate",
    ),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.usefixtures("unchanged")
def test_whoever_has_no_good_token_is_refused_every_method(site: Site, name: str) -> None:
    forge, cause = BAD[name]
    headers = forge(site)
    for call in calls().values():
        site.refused("Unauthenticated", cause, "", site.knocker.grpc(call, headers))
    status, body = site.knocker.http(calls()["forget_user"], headers)
    assert status == 400
    site.refused("Unauthenticated", cause, "", str(json.loads(body)["error"]))


@pytest.mark.usefixtures("unchanged")
def test_a_parameter_of_the_body_is_no_second_header(site: Site) -> None:
    good, other = site.honest.token("admin", "acme"), site.honest.token("admin", "bravo")
    both = {"authorization": f"Bearer {other}"}
    for call in calls().values():
        answer = site.knocker.grpc(call, bearer(good), both)
        site.refused("Unauthenticated", "duplicate", "", answer)
        answer = site.knocker.grpc(call, bearer(good), {"Authorization": f"Bearer {other}"})
        site.refused("Unauthenticated", "duplicate", "", answer)
    for parameters in (
        json.dumps(both),
        f'{{"authorization": "Bearer {other}", "authorization": "Bearer {other}"}}',
    ):
        status, body = site.knocker.http(calls()["forget_user"], bearer(good), parameters)
        assert status == 400
        site.refused("Unauthenticated", "duplicate", "", str(json.loads(body)["error"]))


@pytest.mark.usefixtures("unchanged")
def test_odd_bytes_in_a_token_cost_nobody_else_a_reply(site: Site) -> None:
    good = bearer(site.honest.token("rank", "acme"))
    for value in ("Bearer \x00\x1f", "Bearer é", "Bearer " + "[" * 3000):
        answer = site.knocker.grpc(calls()["rank"], (), {"authorization": value})
        site.refused("Unauthenticated", "malformed", "", answer)
    surrogate = '{"authorization": "Bearer \\ud800"}'
    for headers, parameters in (((), surrogate), ([("authorization", "Bearer \xff\xfe")], "{}")):
        status, body = site.knocker.http(calls()["rank"], headers, parameters)
        assert status in (400, 500), body
        if "Unauthenticated" in body:  # Else Triton has refused it itself.
            site.refused("Unauthenticated", "malformed", "", str(json.loads(body)["error"]))
    assert isinstance(site.knocker.grpc(calls()["rank"], good), Reply)


@pytest.mark.usefixtures("unchanged")
def test_a_caller_cannot_name_a_tenant_beside_the_token(site: Site) -> None:
    call = Call()
    call.get_user.user = "nobody"
    named = {"penchant-tenant": "bravo", "tenant": "bravo"}
    token = site.honest.token("users:read", "acme")
    before = requests_of(settled(site.server), "acme")  # Earlier calls are counted a second later.
    answer = site.knocker.grpc(call, bearer(token), named)
    assert isinstance(answer, str)
    assert answer.startswith("[UserNotFound]")
    wait_until(lambda: requests_of(scrape(site.server), "acme") > before, "the count of the call")
    assert requests_of(settled(site.server), "acme") == before + 1


def requests_of(series: Mapping[Series, float], tenant: str) -> float:
    return sum(
        value
        for (name, labels), value in series.items()
        if name == "penchant_requests_total" and ("tenant", tenant) in labels
    )


@pytest.mark.parametrize("verb", sorted(METHODS))
@pytest.mark.usefixtures("unchanged")
def test_every_method_needs_its_scope(site: Site, verb: str) -> None:
    others = sorted(ISSUED - SCOPES_OF_VERB[verb] - {Scope.ADMIN})
    for scope in (" ".join(others), "", "server", f"openid {verb}s ADMIN"):
        token = site.honest.token(scope, "acme")
        answer = site.knocker.grpc(calls()[verb], bearer(token))
        assert verb in site.refused("PermissionDenied", "scope", "acme", answer)


@pytest.mark.usefixtures("unchanged")
def test_a_health_check_of_anybody_else_is_a_call_like_others(site: Site) -> None:
    call = calls()["forget_user"]
    call.health_check = True
    token = site.honest.token("rank", "acme")
    site.refused("PermissionDenied", "scope", "acme", site.knocker.grpc(call, bearer(token)))


@pytest.mark.usefixtures("unchanged")
def test_the_token_of_health_checks_reaches_nobodys_data(site: Site) -> None:
    token = site.server.token_path.read_text().strip()
    assert site.server.token_path.stat().st_mode & 0o077 == 0
    for health_check in (False, True):
        for verb, call in calls().items():
            if verb != "embed":  # Which touches no data: models have texts encoded by it.
                call.health_check = health_check
                answer = site.knocker.grpc(call, bearer(token), {"penchant-tenant": "acme"})
                site.refused("PermissionDenied", "scope", "acme", answer)


@pytest.mark.usefixtures("unchanged")
def test_a_key_speaks_for_its_own_tenants_alone(site: Site) -> None:
    call = calls()["forget_user"]
    for tenant in ("bravo", "charlie", ""):
        answer = site.knocker.grpc(call, bearer(site.acmes.token("admin", tenant)))
        site.refused("PermissionDenied", "tenant", "", answer)
    reading = calls()["get_user"]
    assert isinstance(site.knocker.grpc(reading, bearer(site.acmes.token("admin", "acme"))), Reply)


@pytest.mark.parametrize("tenant", ["../bravo", "ACME", "a/b", ".", "a" * 64, "acme\0", " "])
@pytest.mark.usefixtures("unchanged")
def test_a_tenant_that_is_no_name_is_refused(site: Site, tenant: str) -> None:
    answer = site.knocker.grpc(calls()["rank"], bearer(site.honest.token("admin", tenant)))
    site.refused("PermissionDenied", "tenant", "", answer)


def test_good_tokens_are_let_in_by_grpc_and_by_http(site: Site) -> None:
    for issuer in (site.honest, site.rsa):
        token = issuer.token("rank", "acme", aud=["else", "penchant"])
        reply = site.knocker.grpc(calls()["rank"], bearer(token))
        assert isinstance(reply, Reply)
        assert {item.id for item in reply.rank.items} == {"a", "b"}
        for name in ("Authorization", "authorization"):
            status, _ = site.knocker.http(calls()["rank"], [(name, f"bearer {token}")])
            assert status == 200


def test_the_replay_of_one_tenants_call_by_another_stays_with_the_other(site: Site) -> None:
    call = Call()
    call.feedback.events.add(event_id="same", user="eve", item="a", signal="like")
    for tenant in ("acme", "bravo"):
        reply = site.knocker.grpc(call, bearer(site.honest.token("feedback", tenant)))
        assert isinstance(reply, Reply)
        assert reply.feedback.results[0].state_version == 1


def test_tenants_that_write_the_same_ids_at_once_never_meet(site: Site) -> None:
    """Events of both travel in the same batches, under the same ids and with other contents."""
    signals = {"acme": "like", "bravo": "dislike"}
    users = [f"user-{n}" for n in range(4)]

    def write(tenant: str, half: int) -> None:
        with site.client(site.honest.token("feedback", tenant)) as penchant:
            for n in range(half, 60, 2):
                event = Event(users[n % 4], "ab"[n % 2], signals[tenant], event_id=f"e{n}")
                penchant.feedback([event]).raise_for_refused()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, ["acme", "bravo"] * 2, [0, 0, 1, 1]))
    for tenant, signal in signals.items():
        with site.client(site.honest.token("users:read", tenant)) as penchant:
            for user in users:
                export = penchant.export_user(user)
                assert {row.event.signal for row in export.events} == {signal}
                assert len(export.events) == export.state.state_version == 15
    own = site.rows("")
    assert not any(user.encode() in key for user in users for key in own)


def test_the_gauges_of_a_store_name_its_tenant(site: Site) -> None:
    with site.client(site.honest.token("users:read", "bravo")) as penchant:
        assert penchant.user("ann").state_version == 1

    def items(tenant: str) -> float:
        return sum(
            value
            for (name, labels), value in scrape(site.server).items()
            if name == "penchant_items" and dict(labels).get("tenant", "") == tenant
        )

    wait_until(lambda: items("bravo") == 2, "the gauge of the tenant")
    assert items("") == 0


def test_liveness_needs_no_token_and_the_probe_has_its_own(site: Site) -> None:
    results = probe.ask(site.server.target, access=site.server.access)
    assert all(result.alive for result in results)
    # A working model refuses a feedback without events, and knows no such user.
    words = {result.text.partition(" ")[0] for result in results}
    assert words == {"ok", "[InvalidRequest]", "[UserNotFound]"}
    with Penchant(site.server.target, timeout_s=60.0) as stranger:
        assert stranger.ready()


def test_a_limited_caller_is_told_when_to_come_back(site: Site) -> None:
    hurried = site.honest.token("rank", "acme", sub="hurried", calls_per_s=0.01)
    calm = site.honest.token("rank", "acme", sub="calm")
    assert isinstance(site.knocker.grpc(calls()["rank"], bearer(hurried)), Reply)
    answer = site.knocker.grpc(calls()["rank"], bearer(hurried))
    text = site.refused("Overloaded", "caller_rate", "acme", answer)
    hint = Overloaded(text).retry_after_ms
    assert hint is not None
    assert 1 < hint <= 100_000
    assert isinstance(site.knocker.grpc(calls()["rank"], bearer(calm)), Reply)


def test_an_expired_token_is_asked_for_once_more(site: Site) -> None:
    old = site.honest.token("rank", "acme", exp=time.time() - SKEW_S - 5)
    fresh = site.honest.token("rank", "acme")
    shown = iter([old, fresh])
    with site.client(lambda: next(shown)) as penchant:
        assert penchant.rank("ann").items
    site.counted["expired", ""] += 1
    with site.client(lambda: old) as penchant, pytest.raises(Unauthenticated, match="expired"):
        penchant.rank("ann")
    site.counted["expired", ""] += 2
    with site.client(fresh) as penchant, pytest.raises(PermissionDenied, match="users:forget"):
        penchant.forget_user("ann")
    site.counted["scope", "acme"] += 1


def test_keys_come_and_go_without_a_restart(site: Site) -> None:
    fresh = Issuer("fresh")
    call = calls()["rank"]
    stays = site.honest.token("rank", "acme")

    def let_in(token: str) -> bool:
        answer = site.knocker.grpc(call, bearer(token))
        if isinstance(answer, str):
            site.refused("Unauthenticated", "key", "", answer)
        return isinstance(answer, Reply)

    write_keys(site.keys, site.honest, site.rsa, site.acmes, fresh)
    wait_until(lambda: let_in(fresh.token("rank", "acme")), "the new key is read")
    assert let_in(stays)  # Two keys at once.
    good = site.keys.read_text()
    site.keys.write_text(good[: len(good) // 2])
    wait_until(
        lambda: let_in(stays) and "the 4 keys read before stay in use" in log_of(site),
        "a broken file is said in the log",
    )
    wait_until(lambda: read_keys_count(site, "failed") > 0, "a broken file is counted")
    assert let_in(stays)
    write_keys(site.keys, site.rsa, site.acmes, fresh)
    wait_until(lambda: not let_in(stays), "the key is gone")
    assert let_in(fresh.token("rank", "acme"))
    write_keys(site.keys, site.honest, site.rsa, site.acmes)
    wait_until(lambda: let_in(stays), "the key is back")


def log_of(site: Site) -> str:
    return site.server.log_path.read_text(errors="replace")


def read_keys_count(site: Site, result: str) -> float:
    return sum(
        value
        for (name, labels), value in scrape(site.server).items()
        if name == "penchant_token_keys_read_total" and ("result", result) in labels
    )


def test_every_refusal_is_counted_by_its_cause_and_tenant(site: Site) -> None:
    def found() -> Counter[tuple[str, str]]:
        counts: Counter[tuple[str, str]] = Counter()
        for (name, labels), value in scrape(site.server).items():
            if name == "penchant_refused_calls_total":
                by_name = dict(labels)
                counts[by_name["cause"], by_name.get("tenant", "")] += int(value)
        return counts

    assert len({cause for cause, _ in site.counted}) > 10
    try:
        wait_until(lambda: found() == site.counted, "the counts")
    except AssertionError:
        assert found() == site.counted
