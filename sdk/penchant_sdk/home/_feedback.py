"""The events that report the outcome of an interpretation."""

from __future__ import annotations

from penchant_sdk.errors import InvalidRequest
from penchant_sdk.home._actions import quantised
from penchant_sdk.home._operations import context_of
from penchant_sdk.home.types import Action, Interpretation
from penchant_sdk.signal_names import HomeSignal
from penchant_sdk.types import Event


def suggested(said: Interpretation) -> list[Event]:
    """The first suggestion was offered; the user has not answered yet."""
    return [_event(said, _best(said), HomeSignal.SUGGESTED)]


def accepted(said: Interpretation, action: Action | None) -> list[Event]:
    """The user wanted an action; None: the first suggestion."""
    return [_event(said, action or _best(said), HomeSignal.ACCEPTED)]


def overridden(said: Interpretation, by: Action) -> list[Event]:
    """The user rejected the first suggestion and did another action instead."""
    best = _best(said)
    if quantised(best).id == quantised(by).id:
        raise InvalidRequest(f"by: got {by}, expected an action other than the one suggested")
    return [_event(said, best, HomeSignal.OVERRIDDEN), _event(said, by, HomeSignal.ACCEPTED)]


def undone(said: Interpretation, action: Action | None) -> list[Event]:
    """The user undid an action without replacing it; None: the first suggestion."""
    return [_event(said, action or _best(said), HomeSignal.UNDONE)]


def _best(said: Interpretation) -> Action:
    if said.best is None:
        raise InvalidRequest(f"interpretation: got one of {said.text!r} without a suggestion")
    return said.best


def _event(said: Interpretation, action: Action, signal: HomeSignal) -> Event:
    return Event(
        user=said.user,
        item=quantised(action).id,
        signal=signal,
        recommendation_id=said.recommendation_id,
        context=context_of(said),
    )
