"""What does an event cost where a commit takes many?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.costs.cost_curve import CostCurve, CostedCall, measured_curve
from benchmarks.costs.costed_app import CostedApp, costed_app, decades
from benchmarks.prepare import item_id
from penchant_proto.v1 import event_pb2, feedback_pb2
from penchant_proto.v1.service_pb2 import Call

SIZES = (1, 10, 100, 1000)
ITEMS, USERS = 1000, 5000


def curves(place: Path, rounds: int, quick: bool) -> Iterator[CostCurve]:
    """One call with events of as many users, each with a window of 30: one commit, as a batch."""
    with costed_app(place / "b", items=ITEMS, users=USERS) as app:
        calls = {size: _feed(app, size) for size in decades(SIZES, quick)}
        yield measured_curve("feedback, the whole commit", "batch", calls, rounds)


def _feed(app: CostedApp, size: int) -> CostedCall:
    def call(number: int) -> object:
        events = [
            event_pb2.Event(
                event_id=f"{size}-{number}-{place}",
                user=app.anybody(),
                item=item_id((number + place) % ITEMS),
                signal="like",
            )
            for place in range(size)
        ]
        return app.handle(Call(feedback=feedback_pb2.FeedbackRequest(events=events)))

    return call
