"""Code that must type-check: the synchronous client as it is meant to be used."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, assert_type

import grpc

from penchant_sdk import (
    Event,
    EventResult,
    Explanation,
    FeedbackAck,
    Item,
    Penchant,
    PenchantError,
    RankedItem,
    Ranking,
    Tls,
    Unavailable,
    UserState,
)
from penchant_sdk.testing import FakePenchant


def readme() -> None:
    with Penchant("localhost:8001") as penchant:
        assert_type(penchant, Penchant)
        text = "Toy Story (1995). Animation, Comedy"
        penchant.put_items([Item(id="1", text=text, attributes={"year": "1995"})])
        reply = penchant.rank(user="u42", k=10)
        assert_type(reply, Ranking)
        ack = penchant.feedback([Event(user="u42", item=reply.items[0].id, signal="like")])
        assert_type(ack, FeedbackAck)
        version = ack.state_version("u42")
        again = penchant.rank(user="u42", k=10, min_state_version=version, explain=True)
        assert_type(again.items, tuple[RankedItem, ...])
        assert_type(again.items[0].explanation, Explanation | None)
        assert_type(penchant.user("u42"), UserState)
        assert_type(penchant.export_user("u42").to_json_ready(), dict[str, Any])
        assert_type(penchant.forget_user("u42").deleted_events, int)


def every_argument() -> None:
    penchant = Penchant(
        timeout_s=0.2,
        max_attempts=1,
        credentials=grpc.ssl_channel_credentials(),
        metadata=[("authorization", "Bearer token"), ("trace-bin", b"\x00")],
        channel_options=[("grpc.keepalive_time_ms", 10_000)],
        retry_share=0.2,
        hedge_after_ms=20,
        max_connection_age_s=600,
        spool=Path("spool"),
        spool_bytes=1 << 20,
    )
    Penchant("a:8001,b:8001", hedge_after_ms="p95", spool="spool").close()
    Penchant(("a:8001", "b:8001"), hedge_after_ms=None, spool=None).close()
    assert_type(penchant.spooled_events, int)
    assert_type(penchant.feedback([]).spooled, tuple[EventResult, ...])
    Penchant(tls="certs/client").close()
    Penchant(tls=Path("certs/client")).close()
    Penchant(tls=Tls(ca="ca.pem", cert=Path("app.pem"), key="app.key")).close()
    penchant.rank("u", candidates=("1", "2"), query="for kids", context={"page": "home"})
    penchant.rank("u", candidates={"1": None}.keys(), as_of=datetime.now(UTC))
    penchant.rank("u", as_of=1.5, exclude_seen=True, timeout_s=0.1)
    events = (Event("u", item, "rating", 4.5, occurred_at=1_700_000_000) for item in "ab")
    assert_type(penchant.feedback(events).refused, tuple[EventResult, ...])
    assert_type(penchant.embed(["a"])[0], tuple[float, ...])
    penchant.close()


def errors(penchant: Penchant) -> str:
    try:
        penchant.rank("u")
    except Unavailable as error:
        return error.reason
    except PenchantError as error:
        return str(error)
    return ""


def tokens() -> None:
    Penchant("localhost:8001", token="a.b.c")
    Penchant("localhost:8001", token=lambda: "a.b.c")
    Penchant("localhost:8001", token=None)


def takes_a_client(penchant: Penchant) -> None: ...


def a_fake_is_a_client() -> None:
    takes_a_client(FakePenchant())
