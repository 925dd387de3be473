"""The ad client's verbs as operations, made of those of `penchant_sdk._operations`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b

from penchant_sdk import _operations
from penchant_sdk._arguments import instance, whole
from penchant_sdk._operations import Operation
from penchant_sdk.ads import choosing, pacing
from penchant_sdk.ads._knowledge import Knowledge, Topics
from penchant_sdk.ads.brand_safety import is_about
from penchant_sdk.ads.campaign import Campaign, item_of
from penchant_sdk.ads.eligibility import eligible
from penchant_sdk.ads.goal import bid_for
from penchant_sdk.ads.moment import Moment, moment_of
from penchant_sdk.ads.money import Money
from penchant_sdk.ads.reason import name_of, reason, unnamed
from penchant_sdk.ads.types import AdContext, Decision, Slot
from penchant_sdk.errors import InvalidRequest, PenchantError
from penchant_sdk.exploration import PlackettLuce
from penchant_sdk.reservations import Budget, Cap, ReserveOption
from penchant_sdk.signal_names import AdSignal
from penchant_sdk.types import Event, EventResult, Explanation, Exposure, Ranking

LAPSE_S = 60
"""Seconds until an unconfirmed decision lapses, unless the client is given another time."""
MAX_OPTIONS = 1000
"""Most campaigns in one reservation; of more, the best by score take part."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A request for ads; see `AdClient.select`.

    Raises:
        InvalidRequest: `n` is out of range.
        InvalidEvent: the context's time is naive or not finite.
    """

    user: str
    slot: Slot
    context: AdContext
    n: int
    explore: PlackettLuce | None
    explain: bool
    lapse_s: int
    moment: Moment = field(init=False)

    def __post_init__(self) -> None:
        instance("slot", self.slot, Slot)
        instance("context", self.context, AdContext)
        object.__setattr__(self, "moment", moment_of(self.slot, self.context))
        if not 1 <= whole("n", self.n) <= 100:
            raise InvalidRequest(f"n: got {self.n}, expected 1 to 100")


@dataclass(frozen=True, slots=True)
class _Offer:
    """An eligible campaign and its worth in this slot."""

    campaign: Campaign
    creative: str
    """The creative drawn; empty: the campaign is one ad."""
    creative_chance: float
    """Probability of that draw."""
    score: float
    """Score of the creative."""
    price: Money
    """Price of one impression."""
    value: float
    """Expected earnings from one impression in micros, above 0."""


def select(selection: Selection, knowledge: Knowledge) -> Operation[tuple[Decision, ...]]:
    """See `AdClient.select`. Makes no call if no campaign is eligible."""
    decisions = yield from _reserve(selection, knowledge)
    if not (selection.explain and decisions):
        return decisions
    try:
        return (yield from _explained(decisions, selection, knowledge))
    except PenchantError:
        return decisions  # They are reserved: better without their reasons than not at all.


def _reserve(selection: Selection, knowledge: Knowledge) -> Operation[tuple[Decision, ...]]:
    """Ranks the eligible campaigns, values them, orders them, and reserves the first n."""
    may = eligible(knowledge.campaigns.values(), selection.slot, selection.moment)
    may = yield from _safe(may, selection, knowledge)
    if not may:
        return ()
    campaigns_of = {item: campaign for campaign in may for item in campaign.items}
    ranking = yield from _rank(selection, campaigns_of, explain=False)
    scores = {item.id: item.score for item in ranking.items}
    found = dict.fromkeys(campaigns_of[item.id] for item in ranking.items)  # The best score first.
    offers = {one.id: _offer(one, scores, selection, knowledge) for one in found}
    if not offers:
        return ()  # The catalog holds none of them, or no longer does.
    explore = selection.explore if ranking.explorations_left > 0 else None
    values = {id_: offer.value for id_, offer in offers.items()}
    order = (
        choosing.drawn(values, explore.temperature, knowledge.random)
        if explore
        else choosing.by_value(values)
    )
    reservations = yield from _operations.reserve(
        selection.user,
        ranking.recommendation_id,
        [_option(offers[id_], selection.moment) for id_ in order],
        n=selection.n,
        lapse_s=selection.lapse_s,
        as_of=selection.context.at,
    )
    campaigns = {item_of(id_, offer.creative): id_ for id_, offer in offers.items()}
    shown = [campaigns[reservation.item] for reservation in reservations.reserved]
    chances = [1.0] * len(shown)
    if explore:
        refused = {campaigns[option.item] for option in reservations.refused}
        chances = choosing.propensities(values, explore.temperature, refused, shown)
    return tuple(
        _decision(
            offers[shown[place]],
            selection,
            knowledge,
            ranking.recommendation_id,
            position=selection.slot.position + place,
            propensity=chances[place] * offers[shown[place]].creative_chance,
            lapses_at=reservation.lapses_at,
        )
        for place, reservation in enumerate(reservations.reserved)
    )


def _safe(
    may: list[Campaign], selection: Selection, knowledge: Knowledge
) -> Operation[list[Campaign]]:
    """The campaigns that avoid no topic of the page. Makes no call if none avoids any.

    Where the page can't be encoded, campaigns that avoid topics are left out.
    """
    page = _operations.clip_query(selection.context.page_text)
    topics = sorted(frozenset[str]().union(*(campaign.avoids for campaign in may)))
    if not (page and topics):
        return may
    try:
        close = yield from _close_topics(page, topics, knowledge)
    except PenchantError:
        return [campaign for campaign in may if not campaign.avoids]
    return [campaign for campaign in may if not campaign.avoids & close]


def _close_topics(page: str, topics: list[str], knowledge: Knowledge) -> Operation[set[str]]:
    """The topics that a page is about. Vectors of topics are kept until the encoder changes."""
    for _ in range(2):
        known = knowledge.topics
        unknown = [topic for topic in topics if topic not in known.vectors]
        found = yield from _operations.embed([page, *unknown], "")
        if known.encoder_version not in ("", found.encoder_version):
            knowledge.topics = known = Topics()
            continue
        added = {topic: found[place] for place, topic in enumerate(unknown, start=1)}
        knowledge.topics = known = Topics(found.encoder_version, {**known.vectors, **added})
        break
    return {
        topic
        for topic in topics
        if topic not in known.vectors
        or is_about(found[0], known.vectors[topic], knowledge.unsafe_from)
    }


def _decision(
    offer: _Offer,
    selection: Selection,
    knowledge: Knowledge,
    recommendation_id: str,
    *,
    position: int,
    propensity: float,
    lapses_at: datetime,
) -> Decision:
    """The decision to show an offer at a position, with the reason that needs no explanation."""
    campaign, item = offer.campaign.id, item_of(offer.campaign.id, offer.creative)
    return Decision(
        recommendation_id=recommendation_id,
        user=selection.user,
        campaign=campaign,
        position=position,
        click_probability=knowledge.calibration.click_probability(offer.score, position),
        price=offer.price,
        propensity=propensity,
        score=offer.score,
        reason=reason(item, None, knowledge.names, propensity if propensity < 1 else None),
        explanation=None,
        lapses_at=lapses_at,
        context=selection.moment.ranking_context,
        creative=offer.creative,
    )


def _explained(
    decisions: Sequence[Decision], selection: Selection, knowledge: Knowledge
) -> Operation[tuple[Decision, ...]]:
    """The decisions with their reasons."""
    explanations = yield from _explain([one.item for one in decisions], selection, knowledge)
    return tuple(
        replace(
            one,
            reason=reason(
                one.item,
                explanations.get(one.item),
                knowledge.names,
                one.propensity if one.propensity < 1 else None,
            ),
            explanation=explanations.get(one.item),
        )
        for one in decisions
    )


def _rank(selection: Selection, ids: Collection[str], *, explain: bool) -> Operation[Ranking]:
    ranking = yield from _operations.rank(
        selection.user,
        k=min(len(ids), MAX_OPTIONS),
        candidates=ids,
        query=_operations.clip_query(selection.context.page_text),
        context=selection.moment.ranking_context,
        explain=explain,
        exclude_owned=True,  # Ads that this user hid.
        as_of=selection.context.at,
    )
    return ranking


def _explain(
    shown: Sequence[str], selection: Selection, knowledge: Knowledge
) -> Operation[Mapping[str, Explanation]]:
    """The score's parts for each ad shown. Explaining every campaign ranked would be slow."""
    ranking = yield from _rank(selection, shown, explain=True)
    found = {item.id: item.explanation for item in ranking.items if item.explanation}
    wanted = unnamed(found.values(), knowledge.names)
    if wanted:
        named = yield from _operations.get_items(wanted)
        # A deleted item goes by its id, and is not requested again.
        knowledge.add_names({id_: id_ for id_ in wanted})
        knowledge.add_names({item.id: name_of(item) for item in named.items})
    return found


def _offer(
    campaign: Campaign, scores: Mapping[str, float], selection: Selection, knowledge: Knowledge
) -> _Offer:
    """The campaign's worth in this slot, averaged over the slot's places and its creatives.

    The price must not depend on the campaign's place in the order, nor on the creative drawn.
    Otherwise the set that budgets refuse would depend on the draw, and the propensities would no
    longer be exact.
    """
    calibration, first = knowledge.calibration, selection.slot.position
    places = range(first, first + selection.n)
    clicks = {
        item: sum(calibration.click_probability(scores[item], place) for place in places)
        / len(places)
        for item in campaign.items
        if item in scores
    }
    chances = choosing.creative_chances(clicks)
    item = choosing.drawn_creative(chances, knowledge.random)
    chance = sum(clicks[one] * chances[one] for one in clicks)
    bid = bid_for(campaign.goal, campaign.bid, campaign.id, calibration.conversions)
    creative = item.removeprefix(f"{campaign.id}/") if campaign.creatives else ""
    value = bid.micros * chance
    return _Offer(campaign, creative, chances[item], scores[item], bid * chance, value)


def _option(offer: _Offer, moment: Moment) -> ReserveOption:
    campaign = offer.campaign
    allowed = pacing.allowed(campaign, moment.at_us)
    return ReserveOption(
        item_of(campaign.id, offer.creative),
        tuple(Cap(campaign.id, cap.limit, campaign.window_s(cap)) for cap in campaign.caps),
        Budget(
            pacing.budget_key(campaign, moment.at_us),
            offer.price.micros,
            allowed.micros,
            pacing.pace(campaign, moment.at_us),
        ),
    )


def feed_back(
    decision: Decision,
    signal: AdSignal,
    at: datetime | float | None,
    *,
    value: float | None = None,
    own_id: str = "",
) -> Operation[EventResult]:
    """Sends one event about a decision; a repeated call sends the same event.

    Raises:
        PenchantError: the server refused the event.
    """
    event = Event(
        user=decision.user,
        item=decision.item,
        signal=signal,
        value=value,
        occurred_at=datetime.now(UTC) if at is None else at,
        recommendation_id=decision.recommendation_id,
        event_id=_event_id(decision, signal, own_id),
        context=decision.context,
        exposure=_exposure(decision) if signal is AdSignal.IMPRESSION else None,
    )
    ack = yield from _operations.feedback([event])
    ack.raise_for_refused()
    return ack.results[0]


def hide(
    decision: Decision, at: datetime | float | None, campaigns: Mapping[str, Campaign]
) -> Operation[EventResult]:
    """Hides an ad's campaign: each of its creatives, as far as this client knows them.

    Raises:
        PenchantError: the server refused an event.
    """
    campaign = campaigns.get(decision.campaign)
    creatives = [one.id for one in campaign.creatives] if campaign else []
    others = [one for one in creatives if one != decision.creative]
    result = yield from feed_back(decision, AdSignal.HIDE, at)
    for creative in others:
        yield from feed_back(replace(decision, creative=creative), AdSignal.HIDE, at)
    return result


def _event_id(decision: Decision, signal: AdSignal, own_id: str) -> str:
    named = "\0".join((decision.recommendation_id, decision.item, signal, own_id))
    return blake2b(named.encode(), digest_size=16).hexdigest()


def _exposure(decision: Decision) -> Exposure:
    return Exposure(
        position=decision.position, propensity=decision.propensity, score=decision.score
    )
