"""The hits of an evaluation: those that the user names, else those of the log's objective."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from penchant.config import Config, parse, with_asked
from penchant.domain.errors import ConfigError
from penchant.evaluation.replay_log import judged_by
from penchant.logs.relevance import POSITIVE
from penchant.logs.stream import Stream
from tests.support.signal_logs import CART, shop_rows, stream_of_rows

CONFIG = Config("memory:", Path("encoder"))


def shop(relevant: str = POSITIVE) -> Stream:
    return stream_of_rows(shop_rows((CART,), events=3000), 160, relevant)


def hits(stream: Stream) -> set[str]:
    return {event.signal for event, hit in zip(stream.events, stream.relevant, strict=True) if hit}


def test_a_log_of_several_signals_is_ranked_for_by_its_objective_which_is_said() -> None:
    judged = judged_by(shop(), CONFIG, "", POSITIVE)
    assert hits(judged.stream) == {"purchase"}
    assert judged.hits == "signal=purchase"
    assert "weighs it most" in judged.sentence
    assert "--objective" in judged.sentence


def test_an_objective_that_was_asked_for_is_taken_and_all_means_every_like() -> None:
    views = judged_by(shop(), with_asked(CONFIG, "view"), "", POSITIVE)
    assert hits(views.stream) == {"view"}
    everything = judged_by(shop(), with_asked(CONFIG, "all"), "", POSITIVE)
    assert hits(everything.stream) == {"view", CART, "purchase"}
    assert everything.hits == POSITIVE


@pytest.mark.parametrize(
    ("relevant", "objective"), [("signal=complete", CART), ("reward>0", "all")]
)
def test_hits_that_the_user_names_stay_and_are_learnt_for(relevant: str, objective: str) -> None:
    stream = shop(relevant)
    judged = judged_by(stream, CONFIG, relevant, POSITIVE)
    assert judged.stream is stream
    assert judged.config.objective == objective
    named = judged_by(stream, dataclasses.replace(CONFIG, objective="view"), relevant, POSITIVE)
    assert named.config.objective == "view"


def test_an_objective_that_the_table_does_not_hold_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"objective: got 'buy', expected all or one of: .*like"):
        with_asked(CONFIG, "buy")
    with pytest.raises(ConfigError, match="objective: got 'buy'"):
        parse({"store": "memory:", "encoder": "e", "objective": "buy"})
