"""What a compilation depends on besides the graph."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.encoder.engines import Profile

PRECISIONS = ("fp32", "fp16", "graph")


@dataclass(frozen=True, slots=True)
class CompileSettings:
    """How an engine is built.

    >>> CompileSettings(tokens=(16, 64)).profiles()
    (Profile(most_texts=64, best_texts=8, most_tokens=16, best_tokens=16), \
Profile(most_texts=64, best_texts=8, most_tokens=64, best_tokens=64))
    """

    precision: str = "fp16"
    """fp32; fp16, with sums and normalisation in fp32; graph: as it is, quantized ones too."""
    compute_capabilities: tuple[str, ...] = ("8.9",)
    """Of the GPUs to build for, as `8.9`; empty: the one of this machine."""
    texts: int = 64
    """The most in one run."""
    tokens: tuple[int, ...] = (16, 32, 128)
    """One optimization profile for texts of up to so many tokens each, 1 or more."""
    refittable: bool = False
    """Weights of the same graph can be put in later, without building anew."""
    version_compatible: bool = False
    """Runs under later versions of TensorRT too."""
    timing_cache: Path | None = None
    """A file that builds of `tensorrt` read and add to; `tensorrt-rtx` needs none."""

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            expected = ", ".join(PRECISIONS)
            raise ConfigError(f"precision: got {self.precision!r}, expected one of: {expected}")
        for capability in self.compute_capabilities:
            if not re.fullmatch(r"\d{1,2}\.\d", capability):
                raise ConfigError(f"compute_capability: got {capability!r}, expected as in 8.9")
        if self.texts < 1:
            raise ConfigError(f"texts: got {self.texts}, expected 1 or more")
        if not self.tokens or min(self.tokens) < 1 or sorted(set(self.tokens)) != list(self.tokens):
            raise ConfigError(f"tokens: got {self.tokens}, expected rising numbers of 1 or more")

    def profiles(self) -> tuple[Profile, ...]:
        """The optimization profiles, shortest texts first."""
        best = max(1, self.texts // 8)
        return tuple(Profile(self.texts, best, most, most) for most in self.tokens)

    def name(self, runtime: str) -> str:
        """The engine's, by all that decides where it runs."""
        where = "-".join(f"sm{one.replace('.', '')}" for one in self.compute_capabilities)
        return f"{runtime}-{where or 'here'}-{self.precision}"
