"""Edits to the text of a `config.pbtxt`, which leave all else in it as it was."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from penchant.launch.errors import LaunchError

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)|(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
    r"""|(?P<open>[\[{<])|(?P<close>[\]}>])|(?P<word>[\w.+-]+)|(?P<other>\S)"""
)
_KEY = re.compile(r'\bkey\s*:\s*"((?:\\.|[^"\\])*)"')
_COUNT = re.compile(r"\bcount\s*:\s*\d+")


@dataclass(frozen=True, slots=True)
class _Field:
    """One top-level field: its name and where it stands in the text."""

    name: str
    start: int
    end: int


def quote(text: str) -> str:
    r"""A string as the protobuf text format writes it.

    >>> print(quote('a "b"\\c' + chr(10)))
    "a \"b\"\\c\n"
    """
    named = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    parts = [
        named.get(letter) or (letter if letter.isprintable() else _octal(letter)) for letter in text
    ]
    return f'"{"".join(parts)}"'


def set_parameters(text: str, settings: Mapping[str, str]) -> str:
    """A configuration with parameters added; one that it has already is replaced.

    Raises:
        LaunchError: the configuration writes its parameters as a list.

    >>> print(set_parameters('backend: "penchant"', {"store": "memory:"}))
    backend: "penchant"
    parameters { key: "store" value { string_value: "memory:" } }
    <BLANKLINE>
    """
    keys = {quote(key)[1:-1] for key in settings}
    for field in reversed(list(_fields(text))):
        if field.name != "parameters":
            continue
        found = _KEY.findall(text[field.start : field.end])
        if len(found) != 1:
            raise LaunchError("config.pbtxt: parameters: expected one block per parameter")
        if found[0] in keys:
            text = text[: field.start].rstrip(" ") + text[field.end :].removeprefix("\n")
    blocks = [
        f"parameters {{ key: {quote(key)} value {{ string_value: {quote(value)} }} }}\n"
        for key, value in settings.items()
    ]
    return text.rstrip("\n") + "\n" + "".join(blocks)


def set_instances(text: str, count: int) -> str:
    """A configuration with another number of instances (processes) of the model.

    Raises:
        LaunchError: the count is not 1 or more, or the configuration has not one instance group.

    >>> set_instances("instance_group [ { count: 1 kind: KIND_CPU } ]", 3)
    'instance_group [ { count: 3 kind: KIND_CPU } ]'
    """
    if count < 1:
        raise LaunchError(f"instances: got {count}, expected 1 or more")
    groups = [field for field in _fields(text) if field.name == "instance_group"]
    found = [
        (group.start + match.start(), group.start + match.end())
        for group in groups
        for match in _COUNT.finditer(text[group.start : group.end])
    ]
    if len(found) != 1:
        raise LaunchError("config.pbtxt: instance_group: expected one, with a count")
    start, end = found[0]
    return f"{text[:start]}count: {count}{text[end:]}"


def _fields(text: str) -> Iterator[_Field]:
    depth, last_end, after_colon = 0, 0, False
    name, start = "", 0
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "comment":
            continue
        if kind == "word" and depth == 0 and not after_colon:
            if name:
                yield _Field(name, start, last_end)
            name, start = token.group(), token.start()
        depth += (kind == "open") - (kind == "close")
        after_colon = token.group() == ":"
        last_end = token.end()
    if depth:
        raise LaunchError("config.pbtxt: a bracket is not closed")
    if name:
        yield _Field(name, start, last_end)


def _octal(letter: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in letter.encode())
