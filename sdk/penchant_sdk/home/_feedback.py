"""The events that report the outcome of an interpretation."""

from __future__ import annotations

from penchant_sdk.errors import InvalidRequest
from penchant_sdk.home._actions import quantised
from penchant_sdk.home._operations import Home, context_of
from penchant_sdk.home.types import Action, Interpretation
from penchant_sdk.signal_names import HomeSignal
from penchant_sdk.types import Event


def suggested(home: Home, said: Interpretation) -> list[Event]:
    """The first suggestion was offered; the user has not answered yet."""
    return _events(home, said, _best(said), HomeSignal.SUGGESTED)


def accepted(home: Home, said: Interpretation, action: Action | None) -> list[Event]:
    """The user wanted an action; None: the first suggestion."""
    return _events(home, said, action or _best(said), HomeSignal.ACCEPTED)


def overridden(home: Home, said: Interpretation, by: Action) -> list[Event]:
    """The user rejected the first suggestion and did another action instead."""
    best = _best(said)
    if quantised(best).id == quantised(by).id:
        raise InvalidRequest(f"by: got {by}, expected an action other than the one suggested")
    rejected = _events(home, said, best, HomeSignal.OVERRIDDEN)
    return rejected + _events(home, said, by, HomeSignal.ACCEPTED)


def undone(home: Home, said: Interpretation, action: Action | None) -> list[Event]:
    """The user undid an action without replacing it; None: the first suggestion."""
    return _events(home, said, action or _best(said), HomeSignal.UNDONE)


def _best(said: Interpretation) -> Action:
    if said.best is None:
        raise InvalidRequest(f"interpretation: got one of {said.text!r} without a suggestion")
    return said.best


def _events(home: Home, said: Interpretation, action: Action, signal: HomeSignal) -> list[Event]:
    """The event of an action; one for each entity if they have no item together."""
    item = quantised(action)
    items = [item] if home.has_item(item) else [item.on(id) for id in item.entities]
    return [
        Event(
            user=said.user,
            item=one.id,
            signal=signal,
            recommendation_id=said.recommendation_id,
            context=context_of(said),
        )
        for one in items
    ]
