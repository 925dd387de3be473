"""Tenants in one process: each sees what it would see on a server to itself."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.config import Config, parse
from penchant.domain.caller import Caller, Scope
from penchant.domain.errors import PenchantError, PermissionDenied
from penchant.server.app import App
from penchant.server.dispatch import Answer, ParsedCall
from penchant.server.tenants import TenantApps, tenant_config, tenant_stores
from penchant.server.triton.errors import message_of
from penchant_proto.v1.service_pb2 import Call, Reply
from tests.support.calls import app_of, config_of, read_answer

TENANTS = ("acme", "bravo")
CALLERS = {name: Caller(name, "s", frozenset({Scope.ADMIN})) for name in (*TENANTS, "charlie")}
USERS, ITEMS, EVENTS = ("ann", "bob"), ("toy", "heat", "babe"), ("e1", "e2", "e3")
TEXTS = ("a film about a pig", "a film about space", "")


@st.composite
def any_call(draw: st.DrawFn) -> Call:
    """A call of any method but `embed`, over few ids, so that those of two tenants collide."""
    call = Call()
    user, item = draw(st.sampled_from(USERS)), draw(st.sampled_from(ITEMS))
    match draw(st.sampled_from(["rank", "feedback", "put", "delete", "get", "read", "drop"])):
        case "rank":
            call.rank.user, call.rank.k = user, 5
            call.rank.explain = draw(st.booleans())
            call.rank.query = draw(st.sampled_from(TEXTS))
        case "feedback":
            for event in draw(st.lists(st.sampled_from(EVENTS), min_size=1, unique=True)):
                signal = draw(st.sampled_from(["like", "dislike"]))
                call.feedback.events.add(event_id=event, user=user, item=item, signal=signal)
        case "put":
            call.put_items.items.add(id=item, text=draw(st.sampled_from(TEXTS[:2])))
        case "delete":
            call.delete_items.ids.append(item)
        case "get":
            call.get_items.ids.extend(ITEMS)
        case "read":
            method = draw(st.sampled_from(["get_user", "export_user"]))
            getattr(call, method).user = user
            if method == "export_user":
                call.export_user.limit = 10
        case "drop":
            if draw(st.booleans()):
                call.forget_user.user = user
            else:
                call.merge_users.from_user, call.merge_users.to_user = USERS
    return call


def parsed(app: App, tenant: str, call: Call) -> ParsedCall:
    found = app.dispatch.parse(call.SerializeToString(), CALLERS[tenant])
    assert not isinstance(found, PenchantError)
    return found


def shown(answer: Answer) -> str:
    """An answer without the random id of a ranking."""
    reply = read_answer(answer)
    if isinstance(reply, PenchantError):
        return message_of(reply)
    reply.rank.recommendation_id = ""
    return str(reply)


def result_of(work: Generator[None, None, Answer]) -> Reply:
    while True:
        try:
            next(work)
        except StopIteration as end:
            answer: Reply = end.value
            return answer


@contextmanager
def apps_in(directory: Path, limit: int = 100) -> Iterator[tuple[App, TenantApps]]:
    def build(tenant: str, config: Config) -> App:
        return app_of(config)

    config = config_of(directory)
    own = app_of(config)
    tenants = TenantApps(own, dataclasses.replace(config, tenant_limit=limit), build)
    try:
        yield own, tenants
    finally:
        tenants.close()
        own.close()


@settings(max_examples=30)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(TENANTS), any_call()), min_size=1, max_size=4),
        min_size=1,
        max_size=8,
    )
)
def test_a_tenant_sees_what_it_would_see_alone(
    batches: Sequence[Sequence[tuple[str, Call]]],
) -> None:
    """Calls of two tenants with the same ids, mixed in the same batches."""
    with tempfile.TemporaryDirectory() as place, apps_in(Path(place, "both")) as (own, both):
        alone = {name: app_of(config_of(Path(place, name))) for name in TENANTS}
        for batch in batches:
            answers = both.answer([parsed(own, tenant, call) for tenant, call in batch])
            assert len(answers) == len(batch)
            for name, app in alone.items():
                calls = [parsed(own, tenant, call) for tenant, call in batch if tenant == name]
                expected = app.dispatch.answer(calls) if calls else []
                got = [
                    one for one, (tenant, _) in zip(answers, batch, strict=True) if tenant == name
                ]
                assert list(map(shown, got)) == list(map(shown, expected))
        for app in alone.values():
            app.close()
        with own.store.snapshot() as snapshot:  # Nobody's calls reach the server's own store.
            assert not [key for key, _ in snapshot.scan(b"u")]


def test_a_long_call_of_a_tenant_is_answered_by_its_app(tmp_path: Path) -> None:
    call = Call()
    call.put_items.items.add(id="toy", text="a film about a pig")
    with apps_in(tmp_path) as (own, tenants):
        work = tenants.slices(parsed(own, "acme", call))
        assert result_of(work).put_items.changed == 1
        get = Call()
        get.get_items.ids.append("toy")
        for tenant, found in (("acme", 1), ("bravo", 0)):
            (answer,) = tenants.answer([parsed(own, tenant, get)])
            reply = read_answer(answer)
            assert not isinstance(reply, PenchantError)
            assert len(reply.get_items.items) == found


def test_a_tenant_beyond_the_limit_is_refused_and_the_others_stay(tmp_path: Path) -> None:
    call = Call()
    call.rank.user, call.rank.k = "ann", 1
    with apps_in(tmp_path, limit=2) as (own, tenants):
        calls = [parsed(own, tenant, call) for tenant in CALLERS]
        *answered, refused = tenants.answer(calls)
        assert not any(isinstance(one, PenchantError) for one in answered)
        assert isinstance(refused, PermissionDenied)
        assert refused.cause == "tenant_limit"
        assert "acme" not in str(refused)  # Who else is there is nobody's business.


def test_a_store_that_cannot_be_opened_costs_its_own_tenant_alone(tmp_path: Path) -> None:
    call = Call()
    call.rank.user, call.rank.k = "ann", 1
    own = app_of(config_of(tmp_path))

    def build(tenant: str, config: Config) -> App:
        if tenant == "bravo":
            raise PermissionError("/secret")
        return app_of(config)

    tenants = TenantApps(own, config_of(tmp_path), build)
    fine, refused = tenants.answer([parsed(own, tenant, call) for tenant in TENANTS])
    assert not isinstance(fine, PenchantError)
    assert isinstance(refused, PenchantError)
    assert "/secret" not in message_of(refused)
    tenants.close()
    own.close()


def test_the_places_of_a_tenant_lie_below_those_of_the_server(tmp_path: Path) -> None:
    given = {"store": f"lmdb:{tmp_path}", "encoder": "/e"}
    config = tenant_config(parse(given), "acme")
    assert config.store == f"lmdb:{tmp_path}/tenants/acme"
    assert (config.catalog_dir, config.releases_dir) == (None, None)  # Within the tenant's store.
    placed = tenant_config(parse({**given, "catalog_dir": "/c", "releases_dir": "/r"}), "acme")
    assert (placed.catalog_dir, placed.releases_dir) == (
        Path("/c/tenants/acme"),
        Path("/r/tenants/acme"),
    )
    (tmp_path / "tenants" / "acme").mkdir(parents=True)
    assert tenant_stores(f"lmdb:{tmp_path}") == []
    (tmp_path / "tenants" / "acme" / "data.mdb").touch()
    assert tenant_stores(f"lmdb:{tmp_path}") == [config.store]
