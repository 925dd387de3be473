"""Where a server saturates: which process, or which resource, is full at its capacity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from penchant.capacity.measured_level import MeasuredLevel
from penchant.capacity.service_level import ServiceLevel

FULL = 0.85
"""Share of a core, or of all cores, from which a process or a machine counts as full: work comes in
bursts, and a queue grows before the average reaches 1."""


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """What is full, and what to do about it."""

    what: str
    """One sentence."""
    advice: str
    """One sentence."""


def bottleneck(
    levels: Sequence[MeasuredLevel], capacity: float, service: ServiceLevel
) -> Bottleneck | None:
    """What is full just above the capacity, or else just below it; None without a level.

    Args:
        levels: all measured levels.
        capacity: arrivals per second that the server bears.
        service: what it must keep.
    """
    if not levels:
        return None
    above = [one for one in levels if one.rate >= capacity and not one.holds]
    at = min(above or levels, key=lambda one: abs(one.rate - capacity))
    if at.spoilt(service):
        return Bottleneck(
            f"The senders themselves: at {at.rate:,.0f}/s they were up to {at.late_p99_ms:.0f} ms "
            "late, so the server may bear more.",
            "Send from another machine, or with more --senders.",
        )
    full = {name: cores for name, cores in at.cores.items() if cores >= FULL}
    for kind, what, advice in _KINDS:
        names = [name for name in full if name.startswith(kind)]
        all_of_kind = [name for name in at.cores if name.startswith(kind)]
        if names and len(names) == len(all_of_kind):
            used = " and ".join(f"{full[name]:.2f}" for name in names)
            return Bottleneck(f"{what} ({used} of a core at {at.rate:,.0f}/s).", advice)
    if at.machine_has and at.machine_cores >= FULL * at.machine_has:
        server = sum(at.cores.values())
        return Bottleneck(
            f"The machine: at {at.rate:,.0f}/s {at.machine_cores:.1f} of {at.machine_has} cores "
            f"were in use: {server:.1f} by the server, {at.sender_cores:.1f} by the senders, "
            f"{at.others_cores:.1f} by others.",
            "Send from another machine, and give the server cores of its own.",
        )
    if not at.cores:
        return Bottleneck(
            "Not known: the server's processes are not on this machine.",
            "Look at its processor, and run the command beside it to have that in the table.",
        )
    busiest = max(at.cores, key=at.cores.__getitem__)
    return Bottleneck(
        f"No process is full: {busiest} is the busiest with {at.cores[busiest]:.2f} of a core at "
        f"{at.rate:,.0f}/s. Calls wait for the disk, or for their turn on the cores.",
        "`penchant doctor` shows the disk; a machine without other jobs shows the cores.",
    )


_KINDS = (
    (
        "penchant_feedback",
        "The one process that writes is full",
        "More calls a batch make an event cheaper; a second server needs a store that several "
        "servers share.",
    ),
    (
        "penchant_rank",
        "The processes that rank are full",
        "Give them more cores: `penchant serve --rank-instances`.",
    ),
    (
        "penchant_encoder",
        "The process of the encoder is full",
        "Queries need it: a smaller or quantized encoder, or a GPU, makes them cheaper.",
    ),
    (
        "tritonserver",
        "Triton itself is full",
        "A second server takes half of the calls.",
    ),
)
