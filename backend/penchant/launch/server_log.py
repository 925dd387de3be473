"""Finds the cause of a failed start in Triton's log."""

from __future__ import annotations

import re

_ERROR = re.compile(r'(?:E\d{4} \S+ \d+ \S+\] "(?P<quoted>.*)"$)|(?:^error: (?P<plain>.*)$)')
_PREFIX = re.compile(
    r"^(ERROR: Failed to create instance: |failed to load '\w+' version \d+: (\w+: )?)"
)
_REASON = re.compile(r"\[[A-Z][A-Za-z]+\] .*")
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
    errors = list(dict.fromkeys(own or others))
    return errors[:limit] or lines[-limit:]
