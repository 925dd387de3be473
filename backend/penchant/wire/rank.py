"""Rank: a request with its exploration, and a ranking with its explanations."""

from __future__ import annotations

import itertools

from penchant.domain.errors import InvalidRequest
from penchant.domain.exploration import EpsilonGreedy, Exploration, PlackettLuce, Thompson
from penchant.service.explain import Contribution, Explanation
from penchant.service.rank import Ranking, RankRequest
from penchant.wire.event import context_of
from penchant_proto.v1 import rank_pb2
from penchant_proto.v1.service_pb2 import Reply


def rank_request(message: rank_pb2.RankRequest) -> RankRequest:
    """A rank request; raises InvalidRequest for an exploration without a policy."""
    return RankRequest(
        user=message.user,
        k=message.k,
        candidates=tuple(message.candidates.ids) if message.HasField("candidates") else None,
        query=message.query,
        exclude_seen=message.exclude_seen,
        min_state_version=message.min_state_version,
        explain=message.explain,
        as_of_us=message.as_of_us if message.HasField("as_of_us") else None,
        context=context_of(message),
        exclude_owned=message.exclude_owned,
        explore=_exploration(message.explore) if message.HasField("explore") else None,
        diversity=message.diversity,
    )


def _exploration(message: rank_pb2.Exploration) -> Exploration:
    seed = message.seed if message.HasField("seed") else None
    match message.WhichOneof("policy"):
        case "plackett_luce":
            return Exploration(PlackettLuce(message.plackett_luce.temperature), seed)
        case "epsilon_greedy":
            return Exploration(EpsilonGreedy(message.epsilon_greedy.epsilon), seed)
        case "thompson":
            return Exploration(Thompson(message.thompson.scale), seed)
    raise InvalidRequest("explore: got no policy, expected one")


def rank_reply(ranking: Ranking) -> Reply:
    """The reply to a rank request; items of a ranking that was not explored have propensity 1."""
    reply = Reply()
    message = reply.rank
    message.recommendation_id = ranking.recommendation_id
    message.unknown_candidates.extend(ranking.unknown_candidates)
    message.state_version = ranking.state_version
    message.catalog_version = ranking.catalog_version
    message.encoder_version = ranking.encoder_version
    message.cold_start = ranking.cold_start
    message.explored = ranking.propensities is not None
    message.propensity_estimated = ranking.propensity_estimated
    message.explorations_left = ranking.explorations_left
    message.degraded = ranking.degraded
    add = message.items.add
    chances = itertools.repeat(1.0) if ranking.propensities is None else ranking.propensities
    for id_, score, chance in zip(ranking.ids, ranking.scores, chances, strict=False):
        add(id=id_, score=score, propensity=chance)
    for item, explanation in zip(message.items, ranking.explanations or [], strict=False):
        item.explanation.CopyFrom(_explanation_message(explanation))
    return reply


def _explanation_message(explanation: Explanation) -> rank_pb2.Explanation:
    return rank_pb2.Explanation(
        offset=explanation.offset,
        slow=explanation.slow,
        fast=explanation.fast,
        near=explanation.near,
        repeat=explanation.repeat,
        query=explanation.query,
        contributions=[_contribution_message(part) for part in explanation.contributions],
    )


def _contribution_message(part: Contribution) -> rank_pb2.Contribution:
    return rank_pb2.Contribution(
        event_id=part.event_id,
        item=part.item,
        signal=part.signal,
        occurred_at_us=part.occurred_at_us,
        share=part.share,
        value=part.value,
    )
