"""What does an event of feedback cost in process: by NumPy, and by the compiled module?

Both ways take turns with batches of events on one store, so that the ratio holds on a busy machine
too. The time is CPU of the thread: the wait for the disk at the commit is left out. Run with
`python benchmarks/compiled_feedback.py [--window 256] [--batch 1]`.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from threadpoolctl import threadpool_limits

from benchmarks import calls, prepare
from benchmarks.encoder import encoder_directory
from penchant.domain.errors import PenchantError
from penchant.encoder.bundle import read_bundle
from penchant.encoder.library import EncoderLibrary
from penchant.server.app import App, build
from penchant.service.meter import SilentMeter
from penchant.system.native_module import NATIVE_VARIABLE, native_choice
from penchant_proto.v1 import event_pb2, feedback_pb2
from penchant_proto.v1.service_pb2 import Call

ITEMS, USERS, ROUNDS = 20_000, 1_000, 100


def costs(app: App, batch: int, rng: random.Random) -> dict[str, list[float]]:
    """CPU seconds of each batch, by `off` (NumPy) and `on` (compiled), in turns."""
    seconds: dict[str, list[float]] = {"off": [], "on": []}
    ways = {"off": app.dispatch.without_native(), "on": app.dispatch}
    for number in range(2 * ROUNDS):
        way = ("off", "on")[number % 2]
        os.environ[NATIVE_VARIABLE] = way
        dispatch = ways[way]
        payloads = [_payload(rng) for _ in range(batch)]
        began_s = time.thread_time()
        parsed = [dispatch.parse(payload) for payload in payloads]
        answers = dispatch.answer([one for one in parsed if not isinstance(one, PenchantError)])
        for answer in answers:
            assert not isinstance(answer, PenchantError)
            if not isinstance(answer, bytes):
                answer.SerializeToString()
        seconds[way].append(time.thread_time() - began_s)
    return seconds


def _payload(rng: random.Random) -> bytes:
    event = event_pb2.Event(
        event_id=f"{rng.getrandbits(128):032x}",
        user=prepare.user_id(rng.randrange(USERS)),
        item=prepare.item_id(rng.randrange(ITEMS)),
        signal="like",
    )
    return Call(feedback=feedback_pb2.FeedbackRequest(events=[event])).SerializeToString()


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--window", type=int, default=prepare.WINDOW_EVENTS, help="events a record")
    parser.add_argument("--batch", type=int, default=32, help="events a batch")
    options = parser.parse_args(arguments)
    if not native_choice().runs:
        print(f"nothing to compare: {native_choice().reason}")
        return 1
    prepare.WINDOW_EVENTS = options.window
    encoder = encoder_directory(None, lambda text: None)
    bundle = read_bundle(encoder)
    with tempfile.TemporaryDirectory(prefix="penchant-bench-") as directory, threadpool_limits(1):
        config = prepare.config_for(Path(directory) / "store", encoder)
        prepare.fill_catalog(config, ITEMS)
        prepare.fill_users(config, USERS, prepare.now())
        stand_in = prepare.RandomEncoder(bundle.version, bundle.settings.dimensions)
        app = build([calls.FEEDBACK_MODEL], config, EncoderLibrary(stand_in), SilentMeter())
        try:
            seconds = costs(app, options.batch, random.Random(5))
        finally:
            app.close()
    numpy, compiled = (
        statistics.median(seconds[way][10:]) / options.batch * 1e6 for way in ("off", "on")
    )
    print(
        f"{options.window} events a record, {options.batch} events a batch, CPU an event: "
        f"NumPy {numpy:.0f} us, compiled {compiled:.0f} us, ratio {compiled / numpy:.2f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
