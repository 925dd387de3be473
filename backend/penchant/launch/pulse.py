"""Asks each model of a server again and again, and knows how long one has been silent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc

from penchant.launch import probe
from penchant.launch.tls import PLAIN, ChannelAccess

EVERY_S = 2.0
"""Seconds from an answer to the next question."""

_FOREVER_S = 3600.0
_OWN_WORD = re.compile(r"\[[A-Z][A-Za-z]+\] ")


@dataclass(slots=True)
class _Line:
    """The conversation with one model."""

    call: Any = None
    """The question under way."""
    rest_s: float = 0.0
    """Seconds until the next question."""
    silent_s: float = 0.0
    """Seconds since the first question without an answer from the model itself."""
    last: str = ""
    """What Triton said in the model's place."""


class Pulse:
    """One small question at a time to each model, without a deadline.

    Time passes only by `advance`, so that the pause of this process counts for nothing.
    """

    def __init__(self, target: str, models: Iterable[str], access: ChannelAccess = PLAIN) -> None:
        self._channel = probe.open_channel(target, access)
        infer = probe.infer_of(self._channel)
        asked = set(models)
        self._ask: dict[str, Callable[[], Any]] = {
            name: partial(
                infer.future,
                probe.request_of(name, call),
                timeout=_FOREVER_S,
                metadata=access.metadata(),
            )
            for name, call in probe.calls().items()
            if name in asked
        }
        self._lines = {name: _Line() for name in self._ask}

    def advance(self, seconds: float) -> dict[str, tuple[float, str]]:
        """Lets time pass, reads the answers, and asks again.

        Returns:
            Seconds of silence by model, of the silent ones, and what Triton said in their place.
        """
        for name, line in self._lines.items():
            if line.call is None:
                line.rest_s -= seconds
                line.silent_s += seconds if line.silent_s else 0.0
                if line.rest_s <= 0:
                    line.call = self._ask[name]()
            elif not line.call.done():
                line.silent_s += seconds
            else:
                answered, line.last = _read(line.call)
                line.silent_s = 0.0 if answered else line.silent_s + seconds
                line.call, line.rest_s = None, EVERY_S
        return {
            name: (line.silent_s, line.last) for name, line in self._lines.items() if line.silent_s
        }

    def close(self) -> None:
        """Ends the questions under way."""
        self._channel.close()


def _read(call: Any) -> tuple[bool, str]:
    """Whether the model itself has answered, be it with an error, and the text of the error."""
    if call.code() is grpc.StatusCode.OK:
        return True, ""
    details = call.details() or call.code().name
    return bool(_OWN_WORD.match(details)), details
