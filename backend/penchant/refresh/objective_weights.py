"""Learns the score's weights for an objective: first what each signal says, then the parts."""

from __future__ import annotations

import dataclasses

from penchant.config import Config, with_offset_half_life
from penchant.domain.objective import find_objective
from penchant.domain.signal_weights import read_signal_weights
from penchant.logs.interactions import Interactions
from penchant.refresh.held_out import OFFSET_PACES, HeldOut
from penchant.refresh.learnt_weights import LearntWeights
from penchant.refresh.part_weights import learn_weights
from penchant.refresh.signal_search import Refit, find_signals


def learn_for_objective(
    events: Interactions, cut: int, refit: Refit, config: Config
) -> LearntWeights:
    """Learns factors of signals, where a log has several, and then the weights of the parts.

    A log of one signal, or without an objective, is learnt from as if there were no signals.
    Factors that the operator set by name stay.

    Args:
        events: the log in time order.
        cut: position of the first held-out event.
        refit: fits vectors and neighbours to a part of the events.
        config: the server's settings.

    Cost: that of `learn_weights`, one fit, and with several signals that of `find_signals`.
    """
    older, fold = refit(events.taken(slice(0, cut))), config.fold
    objective = find_objective(events.likes_by_signal(), config.signals, config.objective)
    offsets = config.offset_half_life_s, config.offset_prior_impressions
    if events.holds_impressions(config.signals):  # Offsets hold rates, which likes do not tell.
        config = with_offset_half_life(config, config.offset_half_life_s)
    matters = events.of_signals(objective.signals) if objective.signals else None
    found = None
    if objective.signals and "signal_weights" not in config.fixed:
        log = HeldOut(events, older, cut, fold, *offsets, paces=OFFSET_PACES[:1])
        found = find_signals(log, cut, objective.signals, refit)
    if found is None:
        learnt = learn_weights(events, older, cut, fold, *offsets, matters, config.given)
        given = read_signal_weights(fold.signal_weights)
        return dataclasses.replace(learnt, objective=objective, signals=given)
    fold = dataclasses.replace(fold, signal_weights=found.text)
    learnt = learn_weights(events, found.fitted, cut, fold, *offsets, matters, config.given)
    return dataclasses.replace(
        learnt,
        objective=objective,
        signals=dict(found.factors),
        dropped=found.dropped,
        signals_gain=(found.before, found.after),
    )
