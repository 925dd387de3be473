"""Chooses the intent of a clause for a domain: what "start" or "up" means for each device."""

from __future__ import annotations

from dataclasses import dataclass

from penchant_sdk.home.reading.clauses import Clause

ON, OFF, STOP_MOVING = "HassTurnOn", "HassTurnOff", "HassStopMoving"
_OPS: dict[str, dict[str, str]] = {
    "light": {"on": ON, "start": ON, "open": ON, "off": OFF, "stop": OFF, "close": OFF},
    "switch": {
        **dict.fromkeys(("on", "start", "open", "brew", "boil", "resume"), ON),
        **dict.fromkeys(("off", "stop", "close", "pause"), OFF),
    },
    "fan": {
        **dict.fromkeys(("on", "start", "open", "resume"), ON),
        **dict.fromkeys(("off", "stop", "close", "pause"), OFF),
    },
    "climate": {
        "on": ON,
        "start": ON,
        "open": ON,
        "boil": ON,
        "off": OFF,
        "stop": OFF,
        "close": OFF,
    },
    "media_player": {
        "on": ON,
        "start": ON,
        "open": ON,
        "off": OFF,
        "close": OFF,
        "stop": OFF,
        "pause": "HassMediaPause",
        "resume": "HassMediaUnpause",
        "play": "HassMediaUnpause",
        "next": "HassMediaNext",
        "previous": "HassMediaPrevious",
        "mute": "HassMediaPlayerMute",
        "unmute": "HassMediaPlayerUnmute",
    },
    "cover": {
        **dict.fromkeys(("open", "on", "start"), ON),
        **dict.fromkeys(("close", "off"), OFF),
        "stop": STOP_MOVING,
        "pause": STOP_MOVING,
    },
    "vacuum": {
        **dict.fromkeys(("on", "start", "clean", "resume", "open"), "HassVacuumStart"),
        **dict.fromkeys(("off", "stop", "close"), OFF),
        "pause": "HassVacuumPause",
        "dock": "HassVacuumReturnToBase",
    },
    "lawn_mower": {
        **dict.fromkeys(("on", "start", "mow", "resume"), "HassLawnMowerStartMowing"),
        **dict.fromkeys(("off", "stop", "dock", "pause"), "HassLawnMowerDock"),
    },
    "lock": {"lock": ON, "close": ON, "unlock": OFF, "open": OFF, "on": ON, "off": OFF},
    "valve": {"open": ON, "on": ON, "start": ON, "close": OFF, "off": OFF, "stop": OFF},
    "alarm_control_panel": {
        "arm": ON,
        "on": ON,
        "start": ON,
        "disarm": OFF,
        "off": OFF,
        "stop": OFF,
    },
}
_PRIORITY = (
    "next",
    "previous",
    "pause",
    "dock",
    "stop",
    "off",
    "close",
    "mute",
    "unmute",
    "unlock",
    "lock",
)
"""Of several verbs of a device, the one that is meant: stop cleaning is stop."""
_STEPS = {
    "light": ("brightness", "", "temperature"),
    "climate": ("temperature", ""),
    "media_player": ("volume", ""),
    "fan": ("speed", ""),
    "cover": ("position", ""),
}
"""Quantities that more or less of a device may mean, the first by default."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a clause asks of a device."""

    intent: str
    change: int = 0
    """1 for more, -1 for less, 0 for neither."""
    quantity: str = ""
    """Quantity of the change: brightness, temperature, volume, speed, position, kelvin."""
    doubtful: bool = False
    """Whether the evidence contradicts itself."""


SETS = {
    "light": "HassLightSet",
    "climate": "HassClimateSetTemperature",
    "media_player": "HassSetVolume",
    "fan": "HassFanSetSpeed",
    "cover": "HassSetPosition",
    "valve": "HassSetPosition",
}
"""Intents that set a value, by domain."""


def verb(clause: Clause, domain: str) -> Wish | None:
    """What a clause asks of devices of a domain; None if it does not say.

    Args:
        clause: the evidence.
        domain: the devices' domain of Home Assistant.
    """
    change, quantity, clashing = _change(clause, domain)
    table = _OPS.get(domain) or _OPS["switch"]
    clashing |= any(
        op not in table for op in clause.ops if not _is_idle(op, clause, domain)
    )  # "Play hot in here" is no wish.
    given = bool(change and clause.supplied and not clause.rels and quantity in _SUPPLIED)
    ended = {"rel", *clause.ops} if clause.rels else {*clause.ops}  # 停止把灯灭了
    clashing |= "stop" in ended and domain in ("light", "switch") and len(ended) > 1
    ops = [] if given else _ops(clause, domain, bool(change))  # "Cut the brightness" is no off.
    if _is_set(clause, domain):
        set_to = SETS[domain]
        off = OFF in ops and domain != "cover"
        if not (change and quantity == "volume") or domain == "media_player":
            return Wish(set_to, change, quantity, doubtful=off or clashing)
    if change and domain in _STEPS and not ops:
        return _step(domain, change, quantity, clause, clashing)
    if domain == "cover" and "small" in clause.amounts and ops and ops[0] in (ON, OFF):
        return Wish(SETS[domain], 1 if ops[0] == ON else -1, "position", clashing)
    if not ops:
        if clause.unneeded and domain == "media_player" and "volume" in clause.quantities:
            return Wish(_SOUNDS[OFF])
        if clause.unneeded:
            return Wish(OFF if domain != "lock" else ON, doubtful=domain == "cover")
        return None
    if clause.unneeded:  # "I don't want it on": off; "I don't want it off": nobody knows.
        return Wish(OFF, doubtful=ops[0] != ON)
    if domain == "media_player" and "volume" in clause.quantities and ops[0] in _SOUNDS:
        return Wish(_SOUNDS[ops[0]], doubtful=clashing)
    partly = "small" in clause.amounts and domain in _STEPS  # "Ease it off a little."
    partly &= bool(clause.particles) and not clause.wanted
    return Wish(ops[0], doubtful=len(set(ops)) > 1 or clashing or partly)


def _is_idle(op: str, clause: Clause, domain: str) -> bool:
    """Whether a verb of another kind of device only says that something is wanted.

    "Get me some light", "put some pink in here", "go back to white" are about a light.
    """
    if op == "dock":
        return clause.valued
    wanted = clause.named or clause.valued or bool(clause.rels)
    return op == "brew" and domain == "light" and wanted


_SOUNDS = {ON: "HassMediaPlayerUnmute", OFF: "HassMediaPlayerMute"}
"""What switching the sound of a player means."""


def _ops(clause: Clause, domain: str, changed: bool) -> list[str]:
    """Intents of the clause's verbs for a domain, the most likely first."""
    table = _OPS.get(domain) or _OPS["switch"]
    said = [op for op in clause.ops if op in table]
    if "off" in clause.particles and "off" in table:
        said.append("off")
    for particle in ("open", "close"):
        if particle in clause.particles and particle in table and not said:
            said.append(particle)
    if "out" in clause.particles and not said and domain in ("light", "switch"):
        said.append("off")
    if clause.supplied < 0 and len(said) > 1:  # "End power on the plug."
        said = [op for op in said if op != "on"]
    if not said and "on" in clause.particles and not changed and "on" in table:
        said.append("on")
    if domain in ("vacuum", "lawn_mower") and clause.homeward and not said:
        said = ["dock"]
    if not said and not changed:
        said = [op for op in clause.weak_ops if op in table]
    if not said and not changed and domain not in _OPENED:
        said = [op for op in _reached(clause) if op in table]
    if domain == "lock":  # "Turn on" a lock locks it, but Chinese opens and turns on by one word.
        for plain, other in (("open", "on"), ("close", "off")):
            said = [op for op in said if op != other] if plain in said else said
    if domain == "vacuum" and len(said) > 1:
        said = [op for op in said if op != "clean"] or said
        said = [op for op in _PRIORITY if op in said][:1] or said
    if domain in ("switch", "input_boolean") and {"brew", "boil"} & set(said):
        said = [op for op in said if op not in ("brew", "boil")] or said
    said.sort(key=lambda op: _PRIORITY.index(op) if op in _PRIORITY else len(_PRIORITY))
    return list(dict.fromkeys(table[op] for op in said))


_OPENED = ("lock", "cover", "valve")
"""Domains that are opened and closed, not switched."""


def _reached(clause: Clause) -> list[str]:
    """On or off by what a clause wants a device to be or to get: lit, running, more power."""
    if clause.results and clause.wishing:
        return [clause.results[-1]]
    if clause.powered and clause.supplied:
        return ["on" if clause.supplied > 0 else "off"]
    return []


_SUPPLIED = ("brightness", "speed")
"""Quantities of which more or less can be given: add some brightness."""


def _change(clause: Clause, domain: str) -> tuple[int, str, bool]:
    """Direction and quantity of a change, and whether the clause asks for both directions."""
    quantities = _STEPS.get(domain, ())
    if not quantities:
        return 0, "", False
    ways: dict[str, set[int]] = {}
    for rel in clause.rels:
        ways.setdefault(rel[:-1], set()).add(1 if rel[-1] == "+" else -1)
    if clause.neutral or clause.named or clause.here:
        for rel in clause.adjectives:
            if not ways:
                ways.setdefault(rel[:-1], set()).add(1 if rel[-1] == "+" else -1)
    if (not clause.ops or domain == "cover") and not ways:
        for particle in clause.particles:
            if particle in ("up", "down"):
                ways.setdefault("", set()).add(1 if particle == "up" else -1)
    if clause.supplied and not ways and not clause.valued:  # "Get the brightness down" is less.
        for given in {*clause.quantities} & {*_SUPPLIED}:
            ways[given] = {clause.supplied}
    fitting = [name for name in quantities if name in ways]
    if not fitting:
        return 0, "", False
    name = fitting[0]
    signs = set().union(*(ways[one] for one in fitting if one in ("", name)))
    quantity = name or quantities[0]
    if domain == "light" and (name == "temperature" or "kelvin" in clause.quantities):
        quantity = "kelvin"
    return (next(iter(ways[name])) if len(signs) == 1 else 1), quantity, len(signs) > 1


def _is_set(clause: Clause, domain: str) -> bool:
    if domain not in SETS or not clause.valued:
        return False
    if domain == "light":
        return True
    if domain == "climate":
        return bool(clause.numbers)
    if domain == "media_player":
        return bool(clause.numbers) or bool(clause.levels)
    return bool(clause.numbers or clause.levels)


def _step(domain: str, change: int, quantity: str, clause: Clause, clashing: bool) -> Wish:
    if domain == "media_player":
        return Wish("HassSetVolumeRelative", change, quantity, clashing)
    if domain == "cover" and "small" not in clause.amounts:
        return Wish(ON if change > 0 else OFF, doubtful=clashing)
    return Wish(SETS[domain], change, quantity, clashing)


def implied_kind(clause: Clause) -> str:
    """Kind of device that a clause is about without naming it; empty if it is none."""
    about = {rel[:-1] for rel in clause.rels} | set(clause.quantities)
    ops = {*clause.ops, *clause.weak_ops}
    units = {unit for _, unit in clause.numbers}
    if clause.neutral or clause.here:
        about |= {rel[:-1] for rel in clause.adjectives}
    table = (
        ("light", "brightness" in about or clause.colours or clause.kelvins or clause.any_colour),
        ("light", "kelvin" in about or "kelvin" in units or "colour" in about),
        ("speaker", "volume" in about),
        ("fan", "speed" in about),
        ("thermostat", "temperature" in about or units & {"degrees", "fahrenheit"}),
        ("vacuum", ops & {"clean", "dock"}),
        ("mower", "mow" in ops),
        ("lock", ops & {"lock", "unlock"}),
        ("speaker", ops & {"mute", "unmute", "next", "previous", "play", "pause", "resume"}),
        ("alarm", ops & {"arm", "disarm"}),
        ("kettle", "boil" in ops),
    )
    return next((kind for kind, holds in table if holds), "")
