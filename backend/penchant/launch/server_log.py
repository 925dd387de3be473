"""Finds the cause of a failed start in Triton's log."""

from __future__ import annotations

import re

_ERROR = re.compile(r'(?:E\d{4} \S+ \d+ \S+\] "(?P<quoted>.*)"$)|(?:^error: (?P<plain>.*)$)')
_PREFIX = re.compile(
    r"^(ERROR: Failed to create instance: |failed to load '\w+' version \d+: (\w+: )?)"
)
_REASON = re.compile(r"\[[A-Z][A-Za-z]+\] .*")
_LAST_WORDS = re.compile(r"Signal \(\d+\) received|terminate called|what\(\):|^error: ")
_TABLE = "+|"
_NOISE = ("CudaDriverHelper", "creating server")


def failure(log: str, limit: int = 8) -> list[str]:
    r"""The lines that explain a failed start: the models' own errors, or else Triton's.

    Args:
        log: Triton's output.
        limit: number of lines, at most.

    >>> line = 'E1 failed to load: Internal: [ConfigError] store: missing'
    >>> failure('I0102 10:00:00.1 7 a.cc:1] "x"\nE0102 10:00:00.2 7 b.cc:2] "' + line + '"\n')
    ['[ConfigError] store: missing']
    """
    errors, lines = _errors(log)
    return errors[:limit] or lines[-limit:]


def last_words(log: str, limit: int = 4) -> list[str]:
    r"""The lines that explain the end of a server that was up; none if it could not say a word.

    >>> last_words("I0102 10:00:00.1 7 a.cc:1] up\n  what():  basic_string\nSignal (6) received.\n")
    ['what():  basic_string', 'Signal (6) received.']
    """
    errors, lines = _errors(log)
    said = [line.strip() for line in lines if _LAST_WORDS.search(line)]
    return list(dict.fromkeys([*errors[-limit:], *said[-limit:]]))


def _errors(log: str) -> tuple[list[str], list[str]]:
    """The errors, the models' own or else Triton's, and all lines outside of tables."""
    own: list[str] = []
    others: list[str] = []
    lines = [line for line in log.splitlines() if line.strip() and line[0] not in _TABLE]
    for line in lines:
        found = _ERROR.search(line)
        if not found:
            continue
        text = found["quoted"] or found["plain"] or ""
        text = text.split("\\n\\nAt:")[0].strip()
        reason = _REASON.search(text)
        if reason:
            own.append(reason.group())
        elif not any(word in text for word in _NOISE):
            others.append(_PREFIX.sub("", text))
    return list(dict.fromkeys(own or others)), lines


def lost_a_port(log: str) -> bool:
    """Whether another program took a port between its choice and Triton's start.

    >>> lost_a_port("error: creating server: Socket '127.0.0.1:8000' already in use ")
    True
    """
    return "already in use" in log.lower()


def is_shutting_down(log: str) -> bool:
    """Whether Triton was told to end, by a signal from outside.

    >>> is_shutting_down("Signal (15) received.")
    True
    """
    return bool(re.search(r"^Signal \((2|15)\) received", log, re.MULTILINE))
