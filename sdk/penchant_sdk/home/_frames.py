"""The meaning of a sentence before it is resolved to the home's entities."""

from __future__ import annotations

from dataclasses import dataclass

from penchant_sdk.home.parameters import Parameter


@dataclass(frozen=True, slots=True)
class Frame:
    """An intent and its arguments."""

    intent: str
    kind: str = ""
    """Domain, or domain and device class as in cover.curtain. Empty: not stated."""
    name: str = ""
    """Name of an entity in the text. Empty: none."""
    room: str = ""
    """Room named in the text. Empty: none."""
    floor: str = ""
    """Floor named in the text. Empty: none."""
    parameter: Parameter | None = None
    """Value named in the text. None: none, or an impossible one."""
    valueless: bool = False
    """True if the text names an impossible value."""
    change: str = ""
    """`up` or `down` if the text asks for more or less of something. Empty: neither."""
    confidence: float = 1.0
    """Confidence in the intent, 0 to 1."""
    cosine: float = 1.0
    """Cosine of the nearest known sentence, -1 to 1; 1 for a template."""
    exact: bool = False
    """True if a template matched."""
