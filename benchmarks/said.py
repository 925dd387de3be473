"""How well does the home client understand what people say, and how often does it act wrongly?

    python benchmarks/said.py FILE --home HOME

FILE holds a JSON object a line: `text`, `room`, `lang`, `kind`, and `right`, a list of acceptable
outcomes: `{"do": "refuse"}`, `{"do": "ask"}`, or `{"do": "act", "actions": [{"entity": [ids],
"verb": "on", "value": null, "when": ""}]}`. HOME is a JSON list of entities; those of a Chinese
home are in the file beside it whose name ends with _zh. The server is in this process, so it
measures understanding, not latency; `docs/measurements/home.md` has the figures.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console
from rich.table import Table

from benchmarks.said_plot import draw
from demos.home.home_settings import HOME_SETTINGS
from penchant.encoder.onnx import OnnxEncoder
from penchant.launch.model_parameters import HOME as HOME_DIRECTORY
from penchant.server.in_process import client_of
from penchant.training.home.home_encoder import HomeEncoderRequest, encoder_name, home_encoder
from penchant_sdk.home import Action, Entity, HomeClient, Interpretation, When
from penchant_sdk.home.parameters import named_value

NOON = datetime(2026, 1, 5, 12)
"""Hour at which everything is said."""
_STEPS = {
    "brighter": ("brighter", "dimmer"),
    "warmer": ("warmer", "cooler"),
    "louder": ("volume_up", "volume_down"),
    "faster": ("fan_faster", "fan_slower"),
    "wider": ("open", "close"),
    "colder": ("cooler white", "warm white"),
}
_SETS = {
    "brightness": "set_brightness",
    "kelvin": "set_colour_temperature",
    "colour": "set_colour",
    "celsius": "set_temperature",
    "volume": "set_volume",
    "speed": "set_fan_speed",
    "position": "open",
}
_VERBS = {
    "HassVacuumStart": "start",
    "HassVacuumCleanArea": "start",
    "HassVacuumPause": "pause",
    "HassVacuumReturnToBase": "dock",
    "HassMediaPause": "pause",
    "HassGetState": "query",
    "HassClimateGetTemperature": "query",
    "HassStartTimer": "timer",
    "HassStopMoving": "stop",
}
_KELVIN = {
    "warm white": (1900, 3200),
    "neutral white": (3200, 4500),
    "cool white": (3900, 7000),
    "daylight": (5000, 7000),
    "white": (2500, 7000),
}
_SAME = (
    {"violet", "purple", "紫色"},
    {"turquoise", "cyan", "青色"},
    {"magenta", "pink", "粉色"},
    *({"red", "红色"}, {"blue", "蓝色"}, {"green", "绿色"}),
    *({"yellow", "黄色"}, {"white", "白色"}, {"orange", "橙色"}),
)
_ON_LIKE = {"on", "start"}
_OFF_LIKE = {"off", "stop"}


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence and what became of it."""

    row: Mapping[str, Any]
    meant: Interpretation
    did: str
    """act, ask or refuse."""
    right: bool
    """Whether the first action, or the refusal, is right; what is asked counts by its action."""
    wrong_act: bool
    """Whether it acted, and on something else than what was asked for."""


def entities(path: Path) -> list[Entity]:
    """Reads a home."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [
        Entity(
            row["id"],
            row["name"],
            room=row.get("room") or "",
            floor=row.get("floor") or "",
            aliases=tuple(row.get("aliases") or ()),
            device_class=row.get("device_class") or "",
        )
        for row in rows
    ]


def judged(row: Mapping[str, Any], meant: Interpretation, domains: Mapping[str, str]) -> Said:
    """Compares an interpretation with the acceptable outcomes of its sentence."""
    did = "refuse" if meant.refused else "act" if meant.act else "ask"
    outcomes = row["right"]
    may = {one["do"] for one in outcomes}
    wanted = [one["actions"] for one in outcomes if one["do"] == "act"]
    acts = list(meant.acts) or [s.action for s in (*meant.suggestions[:1], *meant.then)]
    as_wanted = any(_all_match(acts, actions, domains) for actions in wanted)
    first = any(
        (bool(acts) and _all_match(acts[:1], actions[:1], domains))
        or _all_match(acts, actions, domains)
        for actions in wanted
    )
    if did == "act":
        right, wrong = first, not as_wanted
    elif did == "ask":
        right, wrong = "ask" in may or first, False
    else:
        right, wrong = "refuse" in may, False
    return Said(row, meant, did, right, wrong)


def _all_match(acts: Sequence[Action], wanted: Sequence[Any], domains: Mapping[str, str]) -> bool:
    """Whether two lists of actions are the same, entity by entity, in any grouping."""
    got = [(id, one) for one in acts for id in one.entities or ("",)]
    want = [(id, one) for one in wanted for id in one["entity"] or ("",)]
    if len(got) != len(want) and {id for id, _ in got} != {id for id, _ in want}:
        return False
    left = list(want)
    for id, action in got:
        found = next(
            (
                one
                for one in left
                if one[0] in (id, "") and _matches(action, one[1], domains.get(id, ""))
            ),
            None,
        )
        if found is None:
            return False
        left.remove(found)
    return not left


def _matches(action: Action, wanted: Any, domain: str) -> bool:
    verbs, value = _verb(action, domain)
    if wanted["verb"] not in verbs and not (wanted["verb"] == "other" and _other(action)):
        return False
    return _value_fits(value, wanted["value"]) and _when_fits(action.when, wanted["when"])


def _verb(action: Action, domain: str) -> tuple[set[str], Any]:
    """Verbs of the file that an action is, and its value."""
    if action.parameter is not None:
        name, value = named_value(action.parameter)
        if name in _STEPS and not isinstance(value, str):
            up, down = _STEPS[name]
            if name == "colder":
                return {"set_colour_temperature", "warmer", "cooler"}, up if value > 0 else down
            return {up if value > 0 else down}, abs(value)
        if name in _SETS:
            also = {"close", "other"} if name == "position" else set()
            return {_SETS[name], *also}, value
        if name == "seconds":
            return {"timer"}, value
    intent = action.intent
    if intent in _VERBS:
        return {_VERBS[intent]} | ({"on"} if _VERBS[intent] == "start" else set()), None
    if intent in ("HassTurnOn", "HassTurnOff"):
        on = intent == "HassTurnOn"
        if domain in ("cover", "valve"):
            return {"open" if on else "close"}, None
        if domain == "lock":
            return {"lock" if on else "unlock"}, None
        return (_ON_LIKE if on else _OFF_LIKE), None
    if intent == "HassMediaPlayerMute":
        return {"set_volume", "other"}, 0
    return {intent}, None


def _other(action: Action) -> bool:
    return action.intent.startswith("HassMedia")


def _value_fits(value: Any, wanted: Any) -> bool:
    if wanted is None:
        return True
    if isinstance(wanted, str) and not isinstance(value, str):
        if wanted in _KELVIN and isinstance(value, int | float) and value > 100:
            low, high = _KELVIN[wanted]
            return low <= value <= high
        levels = {"high": (70, 100), "medium": (40, 70), "low": (1, 40)}
        if wanted in levels and isinstance(value, int | float):
            return levels[wanted][0] <= value <= levels[wanted][1]
        return wanted == "mute"
    if isinstance(wanted, str):
        return (
            value == wanted or any({value, wanted} <= names for names in _SAME) or value in wanted
        )
    return isinstance(value, int | float) and abs(abs(value) - wanted) <= max(0.5, 0.02 * wanted)


def _when_fits(when: When, wanted: str) -> bool:
    if not wanted:
        return when.now
    if when.said:
        return True  # It asks, so it is never done at a wrong time.
    found = re.fullmatch(r"(in|for) (\d+) s", wanted)
    if found:
        return (when.after_s if found[1] == "in" else when.for_s) == int(found[2])
    clock = re.search(r"(\d\d):(\d\d)", wanted)
    if clock and when.at is not None:
        same = (when.at.hour, when.at.minute) == (int(clock[1]), int(clock[2]))
        return same and bool(when.in_days) == ("tomorrow" in wanted)
    return False


def measure(
    rows: Iterable[Mapping[str, Any]],
    homes: Mapping[str, HomeClient],
    houses: Mapping[str, list[Entity]],
) -> list[Said]:
    """Lets the homes interpret every sentence."""
    said = []
    for row in rows:
        language = row.get("lang", "en")
        home = homes[language]
        meant = home.interpret(row["text"], user="ann", room=row["room"] or "", at=NOON)
        domains = {one.id: one.domain for one in houses[language]}
        said.append(judged(row, meant, domains))
    return said


def table_of(said: Sequence[Said], outside: str = "outside") -> Table:
    """One line for each kind and language, and sums."""
    table = Table("kind", "language", "n", "right %", "wrong acts %", "act", "ask", "refuse")
    groups: dict[tuple[str, str], list[Said]] = defaultdict(list)
    for one in said:
        language = one.row.get("lang", "en")
        groups[one.row["kind"], language].append(one)
        groups["~ outside" if one.row["kind"] == outside else "~ home", language].append(one)
    for (kind, language), own in sorted(groups.items()):
        did = Counter(one.did for one in own)
        table.add_row(
            kind,
            language,
            str(len(own)),
            f"{100 * sum(one.right for one in own) / len(own):.1f}",
            f"{100 * sum(one.wrong_act for one in own) / len(own):.1f}",
            *(str(did[name]) for name in ("act", "ask", "refuse")),
        )
    return table


def calibration(said: Sequence[Said]) -> tuple[float, list[tuple[float, float, int]]]:
    """Expected calibration error of the first suggestion, and its bins."""
    own = [one for one in said if one.meant.suggestions and one.row["kind"] != "outside"]
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for one in own:
        sure = one.meant.suggestions[0].confidence
        edges = (0.3, 0.5, 0.7, 0.85, 0.95, 0.98)
        bins[sum(sure >= edge for edge in edges)].append((sure, one.right))
    rows = [
        (sum(s for s, _ in b) / len(b), sum(r for _, r in b) / len(b), len(b))
        for _, b in sorted(bins.items())
    ]
    error = sum(abs(s - r) * n for s, r, n in rows) / max(1, len(own))
    return error, rows


def _line(one: Said) -> str:
    """What became of a sentence, for people to read."""
    meant = one.meant
    acts = list(meant.acts) or [s.action for s in (*meant.suggestions[:1], *meant.then)]
    did = [(act.intent, act.entities, act.parameter, act.when) for act in acts]
    sure = meant.suggestions[0].confidence if meant.suggestions else 0.0
    said = (one.row["kind"], one.row["room"], one.row["text"], f"{one.did} {sure:.2f} {did}")
    return ("WRONG ACT " if one.wrong_act else "") + " | ".join((*said, meant.question))


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark with command-line arguments; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--home", type=Path, metavar="HOME", required=True)
    parser.add_argument("--home-zh", type=Path, metavar="HOME", help="default: HOME with _zh")
    parser.add_argument(
        "--encoder", type=Path, metavar="DIR", help="default: the home client's own, made once"
    )
    parser.add_argument("--kind", action="append", help="only these kinds")
    parser.add_argument("--language", choices=("en", "zh-CN"), help="only this language")
    parser.add_argument("--show", action="store_true", help="print what went wrong")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw the reliability")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    options = parser.parse_args(arguments)
    rows = [json.loads(line) for line in options.file.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if not options.kind or row["kind"] in options.kind]
    rows = [row for row in rows if not options.language or row.get("lang") == options.language]
    zh = options.home_zh or options.home.with_name(f"{options.home.stem}_zh.json")
    paths = {"en": options.home, "zh-CN": zh}
    own = HOME_DIRECTORY / encoder_name()
    encoder = options.encoder or home_encoder(HomeEncoderRequest(own))
    houses, homes = {}, {}
    for language in dict.fromkeys(row.get("lang", "en") for row in rows):
        settings = dict(setting.split("=", 1) for setting in HOME_SETTINGS)
        penchant = client_of(OnnxEncoder.load(encoder, threads=1), settings)
        houses[language] = entities(paths[language])
        homes[language] = HomeClient(penchant, language=language, schedules=True)
        homes[language].register(houses[language])
    said = measure(rows, homes, houses)
    console = Console(width=200)
    if options.show:
        for one in said:
            if not one.right or one.wrong_act:
                print(_line(one))
    console.print(table_of(said))
    measured = {
        language: calibration([one for one in said if one.row.get("lang", "en") == language])
        for language in houses
    }
    for language, (error, bins) in measured.items():
        console.print(f"{language}: expected calibration error {error:.3f}", bins)
    acted = [one for one in said if one.did == "act"]
    wrong = sum(one.wrong_act for one in acted)
    console.print(f"{len(acted)} acted on, {wrong} of them wrongly")
    if options.plot:
        errors = {language: error for language, (error, _) in measured.items()}
        draw({language: bins for language, (_, bins) in measured.items()}, errors, options.plot)
    if options.json:
        options.json.write_text(
            json.dumps(
                [{"text": o.row["text"], "did": o.did, "right": o.right} for o in said],
                ensure_ascii=False,
            ),
            encoding="utf-8",
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
