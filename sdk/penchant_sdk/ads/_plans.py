"""The ad verbs as plans over Rank, Reserve and Feedback: no I/O, the same for both clients."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b

from penchant_sdk import _calls
from penchant_sdk._calls import Plan
from penchant_sdk._reserve import reserve
from penchant_sdk.ads import choosing, pacing
from penchant_sdk.ads._knowledge import Knowledge
from penchant_sdk.ads.calibration import Calibration
from penchant_sdk.ads.campaign import Campaign
from penchant_sdk.ads.eligibility import eligible
from penchant_sdk.ads.moment import Moment, moment_of
from penchant_sdk.ads.money import Money
from penchant_sdk.ads.reason import name_of, reason, unnamed
from penchant_sdk.ads.types import AdContext, Decision, Slot
from penchant_sdk.errors import InvalidRequest
from penchant_sdk.exploration import PlackettLuce
from penchant_sdk.reservations import Budget, Cap, ReserveOption
from penchant_sdk.types import Event, EventResult, Explanation, Exposure, Ranking

MAX_OPTIONS = 1000
"""The most that one reservation looks at: of more campaigns, those with the best scores."""
_QUERY_BYTES = 2048


@dataclass(frozen=True, slots=True)
class Selection:
    """One request for ads."""

    user: str
    slot: Slot
    context: AdContext
    n: int
    explore: PlackettLuce | None
    explain: bool
    lapse_s: int
    moment: Moment = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "moment", moment_of(self.slot, self.context))
        if not 1 <= self.n <= 100:
            raise InvalidRequest(f"n: got {self.n}, expected 1 to 100")


@dataclass(frozen=True, slots=True)
class _Offer:
    """A campaign that may be shown, with what it is worth."""

    campaign: Campaign
    score: float
    price: Money
    value: float
    """Expected earnings in micros, above 0."""


def select(selection: Selection, knowledge: Knowledge) -> Plan[tuple[Decision, ...]] | None:
    """The plan of `AdClient.select`; None: no campaign may be shown, nothing is to be asked."""
    may = eligible(knowledge.campaigns.values(), selection.slot, selection.moment)
    return _select(may, selection, knowledge) if may else None


def _select(
    may: Sequence[Campaign], selection: Selection, knowledge: Knowledge
) -> Plan[tuple[Decision, ...]]:
    """Rank, value, order, reserve."""
    by_id = {campaign.id: campaign for campaign in may}
    ranking = yield from _rank(selection, by_id, explain=False)
    offers = {
        item.id: _offer(by_id[item.id], item.score, selection, knowledge.calibration)
        for item in ranking.items
    }
    if not offers:
        return ()  # The catalog holds none of them (any more).
    explore = selection.explore if ranking.explorations_left > 0 else None
    values = {id_: offer.value for id_, offer in offers.items()}
    order = (
        choosing.drawn(values, explore.temperature, knowledge.random)
        if explore
        else choosing.by_value(values)
    )
    reservations = yield from reserve(
        selection.user,
        ranking.recommendation_id,
        [_option(offers[id_], selection.moment) for id_ in order],
        n=selection.n,
        lapse_s=selection.lapse_s,
        as_of=selection.context.at,
    )
    shown = [reservation.item for reservation in reservations.reserved]
    chances: list[float] | None = None
    if explore:
        refused = {option.item for option in reservations.refused}
        chances = choosing.propensities(values, explore.temperature, refused, shown)
    return tuple(
        Decision(
            recommendation_id=ranking.recommendation_id,
            user=selection.user,
            campaign=id_,
            position=selection.slot.position + place,
            click_probability=knowledge.calibration.click_probability(
                offers[id_].score, selection.slot.position + place
            ),
            price=offers[id_].price,
            propensity=chances[place] if chances else 1.0,
            score=offers[id_].score,
            reason=reason(id_, None, knowledge.names, chances[place] if chances else None),
            explanation=None,
            lapses_at=reservations.reserved[place].lapses_at,
            context=selection.moment.ranking_context,
        )
        for place, id_ in enumerate(shown)
    )


def explained(
    decisions: Sequence[Decision], selection: Selection, knowledge: Knowledge
) -> Plan[tuple[Decision, ...]]:
    """The decisions with their reasons; apart, so that no decision is lost for want of one."""
    explanations = yield from _explain([one.campaign for one in decisions], selection, knowledge)
    return tuple(
        replace(
            one,
            reason=reason(
                one.campaign,
                explanations.get(one.campaign),
                knowledge.names,
                one.propensity if one.propensity < 1 else None,
            ),
            explanation=explanations.get(one.campaign),
        )
        for one in decisions
    )


def _rank(selection: Selection, ids: Collection[str], *, explain: bool) -> Plan[Ranking]:
    ranking = yield from _calls.rank(
        selection.user,
        k=min(len(ids), MAX_OPTIONS),
        candidates=ids,
        query=_clipped(selection.context.page_text),
        context=selection.moment.ranking_context,
        explain=explain,
        exclude_owned=True,  # What this user hid.
        as_of=selection.context.at,
    )
    return ranking


def _explain(
    shown: Sequence[str], selection: Selection, knowledge: Knowledge
) -> Plan[Mapping[str, Explanation]]:
    """The parts of the scores of what is shown; of all that was ranked they would cost much."""
    ranking = yield from _rank(selection, shown, explain=True)
    found = {item.id: item.explanation for item in ranking.items if item.explanation}
    wanted = unnamed(found.values(), knowledge.names)
    if wanted:
        named = yield from _calls.get_items(wanted)
        # One that is gone keeps its id as its name, and is not asked for again.
        knowledge.add_names({id_: id_ for id_ in wanted})
        knowledge.add_names({item.id: name_of(item) for item in named.items})
    return found


def _offer(
    campaign: Campaign, score: float, selection: Selection, calibration: Calibration
) -> _Offer:
    """What a campaign is worth here.

    The price must not depend on the place that the order gives it, or what budgets refuse would
    depend on the draw: it is that of the mean place.
    """
    first = selection.slot.position
    chances = [
        calibration.click_probability(score, position)
        for position in range(first, first + selection.n)
    ]
    chance = sum(chances) / len(chances)
    return _Offer(campaign, score, campaign.bid * chance, campaign.bid.micros * chance)


def _option(offer: _Offer, moment: Moment) -> ReserveOption:
    campaign = offer.campaign
    allowed = pacing.allowed(campaign, moment.at_us, moment.utc_offset)
    return ReserveOption(
        campaign.id,
        tuple(Cap(campaign.id, cap.limit, campaign.window_s(cap)) for cap in campaign.caps),
        Budget(campaign.id, offer.price.micros, allowed.micros),
    )


def tell(
    decision: Decision,
    signal: str,
    at: datetime | float | None,
    *,
    value: float | None = None,
    own_id: str = "",
) -> Plan[EventResult]:
    """One event about a decision; repeated, it is the same event."""
    event = Event(
        user=decision.user,
        item=decision.campaign,
        signal=signal,
        value=value,
        occurred_at=datetime.now(UTC) if at is None else at,
        recommendation_id=decision.recommendation_id,
        event_id=_event_id(decision, signal, own_id),
        context=decision.context,
        exposure=_exposure(decision) if signal == "impression" else None,
    )
    ack = yield from _calls.feedback([event])
    ack.raise_for_refused()
    return ack.results[0]


def _event_id(decision: Decision, signal: str, own_id: str) -> str:
    named = "\0".join((decision.recommendation_id, decision.campaign, signal, own_id))
    return blake2b(named.encode(), digest_size=16).hexdigest()


def _exposure(decision: Decision) -> Exposure:
    return Exposure(
        position=decision.position, propensity=decision.propensity, score=decision.score
    )


def _clipped(text: str) -> str:
    """What a query may hold of it: whole characters of the first 2,048 bytes."""
    return text.encode()[:_QUERY_BYTES].decode(errors="ignore").strip()
