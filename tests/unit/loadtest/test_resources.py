"""The soak's verdict: what grows without end is said, what a start takes is not."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable

import pytest

from loadtest.resources import FEWEST_SAMPLES, ResourceSample, ResourceWatch, growth
from tests.support.serve_process import wait_until

EVERY_S, HALF_AN_HOUR_S = 2.0, 1800.0


def flat(at_s: float) -> float:
    return 0.0


def run_of(
    seconds: float,
    *,
    memory: Callable[[float], float] = flat,
    descriptors: Callable[[float], float] = flat,
    shared: Callable[[float], float] = flat,
) -> list[ResourceSample]:
    """Samples of one process, by what it holds above 80 MiB, 40 descriptors and 6 MiB."""
    times = [number * EVERY_S for number in range(int(seconds / EVERY_S))]
    return [
        ResourceSample(
            at_s,
            {"model": 80 + memory(at_s)},
            {"model": 40 + int(descriptors(at_s))},
            6 + shared(at_s),
        )
        for at_s in times
    ]


STEADY: dict[str, Callable[[float], float]] = {
    "nothing": flat,
    "a start": lambda at_s: 60 * (1 - math.exp(-at_s / 20)),
    "a saw": lambda at_s: at_s % 60 / 60 * 6,
    "one step in the first third": lambda at_s: 30.0 * (at_s > 30),
}


@pytest.mark.parametrize("seconds", [120.0, HALF_AN_HOUR_S])
@pytest.mark.parametrize("shape", STEADY)
def test_what_settles_is_flat(shape: str, seconds: float) -> None:
    held = STEADY[shape]
    assert growth(run_of(seconds, memory=held, descriptors=held, shared=held)) == []


def test_a_slow_leak_is_found_in_half_an_hour_and_a_fast_one_in_two_minutes() -> None:
    slow = run_of(HALF_AN_HOUR_S, memory=lambda at_s: at_s / 60)  # 1 MiB a minute.
    assert growth(slow) == [
        "model: 108.5 MiB in the last tenth of the run after 95.0 in its middle third, "
        "expected at most 103.0"
    ]
    fast = run_of(120.0, memory=lambda at_s: at_s / 4)
    assert len(growth(fast) or []) == 1


def test_descriptors_and_regions_that_are_never_given_back_are_found() -> None:
    files = growth(run_of(HALF_AN_HOUR_S, descriptors=lambda at_s: at_s / 60))
    regions = growth(run_of(HALF_AN_HOUR_S, shared=lambda at_s: at_s / 60))
    assert files is not None
    assert regions is not None
    assert [text.split(":")[0] for text in files + regions] == ["model", "/dev/shm"]
    assert " descriptors in " in files[0]


def test_a_run_that_is_too_short_is_not_judged() -> None:
    assert growth(run_of(EVERY_S * (FEWEST_SAMPLES - 1))) is None


LEAKING = """
import sys, time
held = [bytearray(8 << 20)]
print("up", flush=True)
while True:
    time.sleep(0.02)
    if sys.argv[1] == "memory": held.append(b"x" * (1 << 20))
    if sys.argv[1] == "descriptors": held.append(open("/dev/null"))
"""


def judged(watch: ResourceWatch, *, leaks: bool) -> bool:
    found = growth(list(watch.samples))
    return found is not None and (bool(found) or not leaks)


@pytest.mark.parametrize("what", ["nothing", "memory", "descriptors"])
def test_a_real_process_that_leaks_is_told_from_one_that_does_not(what: str) -> None:
    with subprocess.Popen([sys.executable, "-c", LEAKING, what], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            with ResourceWatch(lambda: {"leaking": process.pid}, every_s=0.05) as watch:
                # A busy machine may keep the process from leaking for a while.
                wait_until(lambda: judged(watch, leaks=what != "nothing"), "a verdict")
        finally:
            process.kill()
    found = growth(watch.samples)
    assert found is not None
    units = [text.split(" in the last")[0].split()[-1] for text in found]
    assert units == {"nothing": [], "memory": ["MiB"], "descriptors": ["descriptors"]}[what]
