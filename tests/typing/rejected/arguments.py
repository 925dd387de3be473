"""Code that must not type-check: wrong arguments."""

from __future__ import annotations

from penchant_sdk import Event, Item, Penchant

penchant = Penchant("localhost:8001")
penchant.rank("u", 10)  # E: call-arg
penchant.rank(42)  # E: arg-type
penchant.rank("u", k="10")  # E: arg-type
penchant.rank("u", candidates=[1])  # E: list-item
penchant.rank("u", context={"page": 1})  # E: dict-item
penchant.rank("u", as_of="2026-01-01")  # E: arg-type
penchant.rank("u", limit=10)  # E: call-arg
penchant.feedback(Event(user="u", item="i", signal="like"))  # E: arg-type
penchant.feedback([Item("i", "text")])  # E: list-item
penchant.put_items("text")  # E: arg-type
penchant.user()  # E: call-arg
Penchant("localhost:8001", 1.0)  # E: call-arg
Penchant(transport=object())  # E: arg-type
Penchant(tls=b"certs")  # E: arg-type
Penchant(["a:8001", 8001])  # E: list-item
Penchant(b"localhost:8001")  # E: arg-type
Penchant("a:8001,b:8001", hedge_after_ms="p99")  # E: arg-type
Penchant("a:8001,b:8001", retry_share="0.1")  # E: arg-type
Penchant("a:8001,b:8001", max_connection_age_s="60")  # E: arg-type
Penchant(spool=b"spool")  # E: arg-type
Penchant(spool="spool", spool_bytes=1.5)  # E: arg-type
penchant.spooled_events()  # E: operator
Penchant("localhost:8001", token=b"a.b.c")  # E: arg-type
Penchant("localhost:8001", token=lambda: 7)  # E: arg-type
Event("u", "i")  # E: call-arg
Event("u", "i", "like", occurred_at="now")  # E: arg-type
Event("u", "i", "like", occurred_at=None)  # E: arg-type
Item("i")  # E: call-arg
