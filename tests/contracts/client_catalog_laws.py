"""The laws of a client: items and rankings."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from penchant_sdk import (
    EncoderUnavailable,
    EpsilonGreedy,
    Event,
    Exploration,
    Exposure,
    InvalidRequest,
    Item,
    Penchant,
    PlackettLuce,
    Thompson,
)
from tests.contracts.client_world import KITCHEN, SPACE, Laws, World, some_events, unique


class CatalogLaws(Laws):
    """The laws of putting, reading and deleting items."""

    def test_same_items_put_again_change_nothing(self, penchant: Penchant) -> None:
        items = [Item(unique("item"), f"{text} {uuid4().hex}", {"year": "1995"}) for text in SPACE]
        first = penchant.put_items(items)
        again = penchant.put_items(items)
        assert (first.changed, first.unchanged) == (3, 0)
        assert (again.changed, again.unchanged, again.encoded) == (0, 3, 0)
        assert again.item_count == first.item_count

    def test_only_new_texts_are_encoded(self, penchant: Penchant) -> None:
        item = Item(unique("item"), unique("text"))
        assert penchant.put_items([item]).encoded == 1
        other_year = replace(item, attributes={"year": "2001"})
        assert (penchant.put_items([other_year]).changed, penchant.put_items([item]).encoded) == (
            1,
            0,
        )

    def test_items_come_back_as_they_were_put(self, penchant: Penchant) -> None:
        items = [
            Item(unique("item"), "Ein Text, ein 文本", {"k": "v", "leer": ""}),
            Item(unique("b"), "b"),
        ]
        penchant.put_items(items)
        nowhere = unique("nowhere")
        got = penchant.get_items([items[1].id, nowhere, items[0].id])
        assert got.items == (items[1], items[0])
        assert got.unknown == (nowhere,)

    def test_item_is_rankable_once_it_is_put(self, penchant: Penchant) -> None:
        item = Item(unique("item"), "anything")
        penchant.put_items([item])
        assert penchant.rank(unique("user"), candidates=[item.id]).ids == (item.id,)

    def test_deleted_item_is_gone_from_rankings(self, penchant: Penchant, world: World) -> None:
        gone = world.space[0]
        nowhere = unique("nowhere")
        result = penchant.delete_items([gone, nowhere])
        assert (result.deleted, result.unknown) == (1, (nowhere,))
        ranking = penchant.rank(world.user, candidates=world.ids)
        assert gone not in ranking.ids
        assert ranking.unknown_candidates == (gone,)
        assert penchant.get_items([gone]).items == ()

    def test_one_bad_item_keeps_all_out(self, penchant: Penchant) -> None:
        good = unique("good")
        with pytest.raises(InvalidRequest):
            penchant.put_items([Item(good, "good"), Item("x" * 300, "its id is too long")])
        assert penchant.get_items([good]).unknown == (good,)

    def test_embeddings_of_a_named_encoder_are_its_own_or_refused(self, penchant: Penchant) -> None:
        default = penchant.embed([SPACE[0]])
        named = penchant.embed([SPACE[0]], encoder_version=default.encoder_version)
        assert named == default
        with pytest.raises(EncoderUnavailable):
            penchant.embed([SPACE[0]], encoder_version="0000000000000000")

    def test_embeddings_are_unit_vectors_in_order(self, penchant: Penchant) -> None:
        both = penchant.embed([SPACE[0], KITCHEN[0]])
        alone = penchant.embed([KITCHEN[0]])
        assert len(both) == 2
        for vector in both:
            assert sum(value * value for value in vector) == pytest.approx(1.0, abs=1e-4)
        assert both[1] == pytest.approx(alone[0], abs=1e-4)


class RankLaws(Laws):
    """The laws of rankings."""

    def test_stranger_gets_the_populations_ranking(self, penchant: Penchant, world: World) -> None:
        one = penchant.rank(world.user, candidates=world.ids)
        other = penchant.rank(unique("user"), candidates=world.ids)
        assert one.cold_start
        assert one.state_version == 0
        assert [(item.id, item.score) for item in one.items] == [
            (item.id, item.score) for item in other.items
        ]
        assert one.recommendation_id != other.recommendation_id

    def test_ranking_falls_and_is_cut_at_k(self, penchant: Penchant, world: World) -> None:
        ranking = penchant.rank(world.user, candidates=world.ids, k=4)
        scores = [item.score for item in ranking.items]
        assert len(scores) == 4
        assert scores == sorted(scores, reverse=True)

    def test_whole_catalog_is_ranked_without_candidates(
        self, penchant: Penchant, world: World
    ) -> None:
        count = penchant.get_items(world.ids).item_count
        ranking = penchant.rank(world.user, k=min(count, 1000))
        assert len(ranking.items) == min(count, 1000)
        if count <= 1000:
            assert set(world.ids) <= set(ranking.ids)

    def test_unknown_candidates_are_listed(self, penchant: Penchant, world: World) -> None:
        nowhere = unique("nowhere")
        ranking = penchant.rank(world.user, candidates=[*world.ids, nowhere])
        assert ranking.unknown_candidates == (nowhere,)
        assert set(ranking.ids) == set(world.ids)

    def test_no_candidates_give_no_items(self, penchant: Penchant) -> None:
        assert penchant.rank(unique("user"), candidates=[]).items == ()

    def test_query_lifts_what_it_describes(self, penchant: Penchant, world: World) -> None:
        def space_over_kitchen(query: str) -> float:
            ranking = penchant.rank(world.user, candidates=world.ids, query=query)
            score = {item.id: item.score for item in ranking.items}
            return sum(score[id] for id in world.space) - sum(score[id] for id in world.kitchen)

        assert space_over_kitchen(SPACE[0]) > space_over_kitchen(KITCHEN[0])

    def test_seen_items_are_left_out_on_demand(self, penchant: Penchant, world: World) -> None:
        seen = world.space[0]
        penchant.feedback([Event(user=world.user, item=seen, signal="dislike")])
        every = penchant.rank(world.user, candidates=world.ids)
        fresh = penchant.rank(world.user, candidates=world.ids, exclude_seen=True)
        assert set(every.ids) == set(world.ids)
        assert set(fresh.ids) == set(world.ids) - {seen}
        assert fresh.unknown_candidates == ()

    def test_parts_of_an_explanation_sum_to_the_score(
        self, penchant: Penchant, world: World
    ) -> None:
        events = some_events(world, 12)
        penchant.feedback(events)
        ranking = penchant.rank(world.user, candidates=world.ids, query="starship", explain=True)
        assert ranking.items
        sent = {event.event_id: event for event in events}
        for item in ranking.items:
            part = item.explanation
            assert part is not None
            total = part.offset + part.slow + part.fast + part.near + part.repeat + part.query
            assert total == pytest.approx(item.score, abs=1e-5)
            assert 1 <= len(part.contributions) <= 5
            shares = [abs(one.share) for one in part.contributions]
            assert shares == sorted(shares, reverse=True)
            for one in part.contributions:
                event = sent[one.event_id]
                assert (one.item, one.signal) == (event.item, event.signal)
                assert one.occurred_at == event.occurred_at

    def test_what_is_not_explored_is_shown_with_certainty(
        self, penchant: Penchant, world: World
    ) -> None:
        ranking = penchant.rank(world.user, candidates=world.ids)
        assert not ranking.explored
        assert {item.propensity for item in ranking.items} == {1.0}

    @pytest.mark.parametrize("policy", [PlackettLuce(0.5), EpsilonGreedy(0.5), Thompson()])
    def test_exploring_names_the_chance_of_each_place(
        self, penchant: Penchant, world: World, policy: Exploration
    ) -> None:
        one, two = (
            penchant.rank(world.user, candidates=world.ids, explore=policy, seed=7)
            for _ in range(2)
        )
        assert one.explored
        assert one.items == two.items
        assert set(one.ids) == set(world.ids)
        assert all(0 < item.propensity <= 1 for item in one.items)
        assert one.propensity_estimated == isinstance(policy, Thompson)

    def test_explored_impressions_use_up_the_budget(self, penchant: Penchant, world: World) -> None:
        def left() -> int:
            return penchant.rank(world.user, candidates=world.ids).explorations_left

        before = left()
        shown = [
            Event(
                user=world.user,
                item=world.ids[0],
                signal="impression",
                exposure=Exposure(position=1, propensity=0.25, score=0.5),
            )
            for _ in range(before)
        ]
        penchant.feedback(shown[:1])
        assert left() == before - 1
        penchant.feedback(shown)
        ranking = penchant.rank(world.user, candidates=world.ids, explore=PlackettLuce(1.0))
        assert (ranking.explored, ranking.explorations_left) == (False, 0)

    def test_a_diverse_list_begins_with_the_best(self, penchant: Penchant, world: World) -> None:
        best = penchant.rank(world.user, candidates=world.ids, k=3)
        diverse = penchant.rank(world.user, candidates=world.ids, k=3, diversity=0.5)
        assert diverse.ids[0] == best.ids[0]
        assert len(set(diverse.ids)) == 3

    def test_an_explored_list_can_not_be_made_diverse(
        self, penchant: Penchant, world: World
    ) -> None:
        with pytest.raises(InvalidRequest, match="diversity: got one together with explore"):
            penchant.rank(world.user, explore=Thompson(), diversity=0.5)

    def test_owned_items_are_left_out_on_demand(self, penchant: Penchant, world: World) -> None:
        penchant.feedback([Event(user=world.user, item=world.space[0], signal="purchase")])
        every = penchant.rank(world.user, candidates=world.ids)
        others = penchant.rank(world.user, candidates=world.ids, exclude_owned=True)
        assert set(every.ids) - set(others.ids) == {world.space[0]}

    def test_explanations_come_only_on_demand(self, penchant: Penchant, world: World) -> None:
        ranking = penchant.rank(world.user, candidates=world.ids)
        assert all(item.explanation is None for item in ranking.items)

    @pytest.mark.parametrize("k", [1001, 2**32 - 1])
    def test_too_many_items_are_refused(self, penchant: Penchant, k: int) -> None:
        with pytest.raises(InvalidRequest, match="k: got"):
            penchant.rank(unique("user"), k=k)

    def test_candidate_named_twice_is_refused(self, penchant: Penchant, world: World) -> None:
        with pytest.raises(InvalidRequest, match="candidates"):
            penchant.rank(world.user, candidates=[world.ids[0], world.ids[0]])

    def test_too_many_candidates_are_refused(self, penchant: Penchant) -> None:
        with pytest.raises(InvalidRequest, match="candidates"):
            penchant.rank(unique("user"), candidates=[f"c{n}" for n in range(10_000)])
