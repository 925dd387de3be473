"""Two starts of `penchant serve` at the same moment: one serves, the other says why it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.serve_process import FILMS, ServeProcess, started, wait_until

pytestmark = pytest.mark.server


def up(serve: ServeProcess) -> bool:
    return any("Ctrl-C stops it." in line for line in serve.lines)


def settled(one: ServeProcess, other: ServeProcess) -> tuple[ServeProcess, ServeProcess]:
    """The one that serves and the one that has ended, once there is one of each."""

    def ended(serve: ServeProcess) -> bool:
        return serve.process.poll() is not None

    wait_until(
        lambda: (
            (up(one) and ended(other))
            or (up(other) and ended(one))
            or (ended(one) and ended(other))
        ),
        f"one of two: {one.lines}, {other.lines}",
    )
    assert up(one) != up(other), (one.lines, other.lines)
    return (one, other) if up(one) else (other, one)


def test_of_two_starts_at_once_on_one_store_one_serves_and_the_other_says_why(
    tmp_path: Path,
) -> None:
    options = [f"--store=lmdb:{tmp_path / 'store'}"]
    places = [tmp_path / name for name in ("first", "second")]
    for place in places:
        place.mkdir()
    with started(places[0], options) as one, started(places[1], options) as other:
        winner, loser = settled(one, other)
        assert loser.process.wait() == 1
        loser.wait_for("a second server")  # Its last line may be read after its end.
        assert "Traceback" not in "\n".join(loser.lines)
        with winner.client(timeout_s=30.0) as penchant:
            penchant.put_items(FILMS)
            assert penchant.rank("ann").items
