"""A client of an app in this process says what one over the wire says."""

from __future__ import annotations

import pytest

from penchant.domain.errors import ConfigError
from penchant.encoder.bag_of_words import BagOfWords
from penchant.server.in_process import client_of
from penchant_sdk import Event, InvalidRequest, Item, UserNotFound


def test_it_ranks_learns_and_names_errors_as_the_sdk_does() -> None:
    with client_of(BagOfWords(), {"signals": "games"}) as penchant:
        assert penchant.ready()
        penchant.put_items([Item("a", "chess with kings"), Item("b", "car race")])
        ack = penchant.feedback([Event("ann", "b", "purchased")])
        ack.raise_for_refused()
        assert penchant.rank("ann", exclude_owned=True).ids == ("a",)
        with pytest.raises(UserNotFound):
            penchant.user("bob")
        with pytest.raises(InvalidRequest, match="k"):
            penchant.rank("ann", k=5_000)


def test_a_wrong_setting_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown setting"):
        client_of(BagOfWords(), {"speed": "11"})
