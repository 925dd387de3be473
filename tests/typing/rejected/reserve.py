"""Code that must not type-check: wrong reservations."""

from __future__ import annotations

from penchant_sdk import Budget, Cap, Penchant, ReserveOption

penchant = Penchant("localhost:8001")
penchant.reserve("u", "r", [ReserveOption("ad")])  # E: call-arg
penchant.reserve("u", [ReserveOption("ad")], n=1)  # E: arg-type call-arg
penchant.reserve("u", "r", ["ad"], n=1)  # E: list-item
penchant.reserve("u", "r", [ReserveOption("ad")], 1, 60)  # E: call-arg
penchant.reserve("u", "r", [ReserveOption("ad")], n=1, lapse_s=0.5)  # E: arg-type
ReserveOption()  # E: call-arg
ReserveOption("ad", caps=Cap("c", 1, 60))  # E: arg-type
ReserveOption("ad", budget=5)  # E: arg-type
Cap("c", 1)  # E: call-arg
Cap("c", 1, 0.5)  # E: arg-type
Budget("c", 0.5, 10)  # E: arg-type
