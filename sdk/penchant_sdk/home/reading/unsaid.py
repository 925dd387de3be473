"""What a clause asks for that has no verb of its own: no more light, a coffee, it should be off.

>>> from penchant_sdk.home.reading.clauses import Clause
>>> settled(Clause(negated=True, obliged=True, particles=("on",))).ops
('off',)
"""

from __future__ import annotations

import dataclasses

from penchant_sdk.home.reading.clauses import Clause
from penchant_sdk.home.reading.grounding import Grounded
from penchant_sdk.home.reading.home_words import HomeWords
from penchant_sdk.home.reading.state_questions import QUANTITIES, common_domain
from penchant_sdk.home.reading.verbs import OFF, ON, SETS, Wish

_DRINKS = ("coffee", "kettle")


def settled(clause: Clause) -> Clause:
    """A clause with "don't leave it on" turned into off."""
    if clause.kept and clause.unneeded and not (clause.ops or clause.particles):
        return dataclasses.replace(clause, negated=True)
    if clause.negated and clause.ended and clause.powered and not clause.ops:  # 别供电了
        return dataclasses.replace(clause, negated=False, ops=("off",), supplied=0)
    bare = not (clause.moved or clause.kept or clause.valued or clause.quantities)
    if clause.negated and clause.ended and clause.named and bare:  # 不需要灯了
        return dataclasses.replace(clause, negated=False, unneeded=True)
    if clause.negated and clause.obliged and not (clause.ops or clause.rels or clause.valued):
        states = {*clause.particles, *clause.results} & {"on", "off"}
        if len(states) == 1:  # "It should not be on."
            other = "off" if states == {"on"} else "on"
            return dataclasses.replace(
                clause, negated=False, ops=(other,), particles=(), results=()
            )
    if clause.negated and clause.kept and not (clause.rels or clause.valued):
        off = "off" in clause.particles or "off" in clause.ops
        return dataclasses.replace(
            clause,
            negated=False,
            ops=("on",) if off else ("off",),
            particles=(),
        )
    return clause


def usual(clause: Clause, found: Grounded, words: HomeWords) -> Wish | None:
    """What people want of a device that they only name: a coffee, please."""
    kinds = {kind for entity in found.choices[0] for kind in words.kinds[entity.id]}
    if kinds & set(_DRINKS) and (clause.neutral or not clause.moved):
        return Wish(ON)
    domain = common_domain(found.choices[0])
    if domain in ("scene", "script") and not clause.particles:
        return Wish(ON)
    if domain in ("light", "climate", "fan") and clause.altered and clause.neutral:
        return Wish(SETS[domain])
    if domain in SETS and set(clause.quantities) & set(QUANTITIES.get(domain, ())):
        return Wish(SETS[domain])
    if domain == "vacuum" and (clause.wanted or clause.supplied > 0) and not clause.personal:
        return Wish("HassVacuumStart")
    if domain == "light" and not (clause.negated or clause.personal):
        if clause.supplied < 0:
            return Wish(OFF)
        if clause.wanted or clause.supplied:  # "Quieter lights" are no more lights.
            return Wish(ON, doubtful=bool(clause.rels))
    return None
