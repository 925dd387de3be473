"""A service level: how slow calls may be, how many may fail, and what a measured run says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import betainc, btdtrib

SLOW_SHARE = 0.01
"""Share of calls that a p99 lets be slower."""
_BLOCKS = 8
"""Parts of a run whose shares are compared, to see how far calls near in time are alike."""


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """What a server must keep."""

    p99_ms: float = 50.0
    """Latency in milliseconds, from when a call is due, that 99 % of the calls keep."""
    failed_share: float = 0.001
    """Largest share of calls that fail."""

    def describe(self) -> str:
        """The level in words.

        >>> ServiceLevel().describe()
        'p99 at most 50 ms, at most 0.1 % failed'
        """
        return f"p99 at most {self.p99_ms:g} ms, at most {self.failed_share * 100:g} % failed"


def chance_within(flags: Sequence[bool], most: float, blocks: int = _BLOCKS) -> float:
    """The probability that the share behind a run's flags is at most `most`.

    The posterior of a share after k of n independent calls, Beta(1/2 + k, b + n - k), whose prior's
    median is `most`: without a call it is as likely as not. Slow calls come in clumps, behind one
    stall, so n and k are divided by the design effect: the variance of the share between
    consecutive parts of the run over that of independent calls (Kish, Survey Sampling, 1965).

    Args:
        flags: whether each call was bad, in the order of due times.
        most: the largest share allowed, more than 0 and less than 1.
        blocks: parts of the run that are compared.

    >>> round(chance_within([False] * 1000, 0.01), 3)
    1.0
    >>> round(chance_within([True, *[False] * 9] * 100, 0.01), 3)
    0.0
    """
    count, bad = len(flags), sum(flags)
    if count == 0:
        return 0.5
    prior = float(btdtrib(0.5, 0.5, most))
    effect = _design_effect(flags, blocks)
    return float(betainc(bad / effect + 0.5, (count - bad) / effect + prior, most))


def _design_effect(flags: Sequence[bool], blocks: int) -> float:
    """How many times the variance of the share is that of independent calls; 1 or more."""
    size = len(flags) // blocks
    share = sum(flags) / len(flags)
    if size < 2 or share in (0.0, 1.0):
        return 1.0
    shares = [sum(flags[at * size : (at + 1) * size]) / size for at in range(blocks)]
    mean = sum(shares) / blocks
    between = sum((one - mean) ** 2 for one in shares) / (blocks - 1)
    return max(1.0, between * size / (share * (1 - share)))
