"""What a sentence says, before it is known which of the home's entities it speaks of."""

from __future__ import annotations

from dataclasses import dataclass

from penchant_sdk.home.parameters import Parameter


@dataclass(frozen=True, slots=True)
class Frame:
    """An intent and what fills it."""

    intent: str
    kind: str = ""
    """The domain, or domain and device class as in cover.curtain; empty: it does not say."""
    name: str = ""
    """What an entity is called in the text; empty: none is named."""
    room: str = ""
    """The room that the text names."""
    floor: str = ""
    """The floor that the text names."""
    parameter: Parameter | None = None
    valueless: bool = False
    """True where the text names a value that can't be."""
    change: str = ""
    """`up` or `down` where more or less of something is wanted; empty: it does not say."""
    confidence: float = 1.0
    """0 to 1."""
    exact: bool = False
    """True where a template matched."""
