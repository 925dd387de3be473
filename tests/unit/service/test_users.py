"""Users: read, export, forget."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.domain.errors import UserNotFound
from penchant.domain.types import LogRow
from penchant.service.event_results import EventStatus
from penchant.service.rank import RankRequest
from penchant.service.users import ExportUserRequest, LogPosition
from penchant.store import codec
from penchant.store.keys import Kind, encode
from tests.support.world import SECOND_US, World, liked


def test_a_users_record_names_its_items_and_its_interest(world: World) -> None:
    world.feed(liked("e1", "toy", ago_s=60), liked("e2", "heat"))
    view = world.users.get("u")
    assert view.items == ["toy", "heat"]
    assert view.state_version == 2
    assert view.window["reward"].tolist() == [1.0, 1.0]
    assert view.catalog_version == world.view().head.version
    assert view.interest.slow.shape == view.interest.fast.shape == (64,)


def test_a_deleted_item_has_no_name_in_the_record(world: World) -> None:
    world.feed(liked("e1", "toy", ago_s=60), liked("e2", "heat"))
    world.catalog.delete(["toy"])
    assert world.users.get("u").items == ["", "heat"]


@given(count=st.integers(1, 12), limit=st.integers(1, 14))
def test_the_pages_of_an_export_are_the_log(
    tmp_path_factory: pytest.TempPathFactory, count: int, limit: int
) -> None:
    world = World(tmp_path_factory.mktemp("catalog"))
    world.put(toy="toy story")
    world.feed(*(liked(f"e{number}", "toy", ago_s=number) for number in range(count)))
    exported, after = [], 0
    while True:
        page = world.users.export(ExportUserRequest("u", after, limit))
        assert 1 <= len(page.rows) <= limit
        assert page.state_version == count
        exported += page.rows
        after = page.next_after_version
        if after == 0:
            break
    assert exported == world.log("u")
    assert [row.event.event_id for row in exported] == [f"e{number}" for number in range(count)]


def test_a_forgotten_user_is_a_stranger(world: World) -> None:
    stranger = world.rank(RankRequest("u", 6))
    events = [liked("e1", "toy"), liked("e2", "heat")]
    world.feed(*events, liked("e1", "toy", user="u2"), liked("e1", "heat", user="v"))
    others = [world.record_bytes(user) for user in ("u2", "v")]
    assert world.users.forget("u").deleted_events == 2
    assert world.state("u") is None
    assert world.log("u") == []
    assert [world.record_bytes(user) for user in ("u2", "v")] == others
    assert [len(world.log(user)) for user in ("u2", "v")] == [1, 1]
    again = world.rank(RankRequest("u", 6))
    assert (again.state_version, again.cold_start) == (0, True)
    offsets = world.view().offsets
    known = world.view().numbers
    personal = [
        score - world.config.fold.offset_weight * float(offsets[known[id_]])
        for id_, score in zip(again.ids, again.scores, strict=True)
    ]
    np.testing.assert_allclose(personal, stranger.scores, atol=1e-6)
    assert {(one.status, one.reason) for one in world.feed(*events)} == {
        (EventStatus.REFUSED, "UserForgotten")
    }
    world.now_us += SECOND_US
    assert world.feed(liked("e9", "toy", ago_s=-1))[0].status is EventStatus.ACCEPTED
    assert world.record("u").state_version == 1


def test_nothing_of_a_forgotten_user_is_left_in_the_store(world: World) -> None:
    world.feed(liked("e1", "toy", user="a stranger's name"))
    world.users.forget("a stranger's name")
    with world.store.snapshot() as snapshot:
        for key, value in snapshot.scan(b""):
            assert b"stranger" not in key
            assert b"stranger" not in value
        assert list(snapshot.scan(encode(Kind.LOG))) == []


@settings(max_examples=20)
@given(count=st.integers(1, 40), limit=st.integers(1, 15), extra=st.integers(0, 3))
def test_pages_by_position_are_the_log_as_of_the_first(
    tmp_path_factory: pytest.TempPathFactory, count: int, limit: int, extra: int
) -> None:
    """Events that arrive between two pages are left out, wherever they sort."""
    world = World(tmp_path_factory.mktemp("catalog"))
    world.put(toy="toy story", heat="heat")
    world.feed(*[liked(f"e{number}", "toy") for number in range(count)])
    log = world.log("u")
    exported: list[LogRow] = []
    page: LogPosition | None = LogPosition()
    while page is not None:
        part = world.users.export(ExportUserRequest("u", 0, limit, page))
        assert len(part.rows) <= limit
        exported += part.rows
        world.feed(*[liked(f"x{len(exported)}-{number}", "heat") for number in range(extra)])
        page = part.next_page
    assert sorted(exported, key=lambda row: row.state_version) == log


def test_a_page_by_position_reads_its_own_rows_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.feed(*[liked(f"e{number}", "toy") for number in range(500)])
    decoded: list[bytes] = []
    decode = codec.decode_log_row

    def counting(value: bytes) -> LogRow:
        decoded.append(value)
        return decode(value)

    monkeypatch.setattr(codec, "decode_log_row", counting)
    world.users.export(ExportUserRequest("u", 0, 10, LogPosition()))
    assert len(decoded) <= 11


@pytest.mark.parametrize("verb", ["get", "export", "forget"])
def test_a_user_without_events_is_not_found(world: World, verb: str) -> None:
    request = ExportUserRequest("nobody", 0, 10) if verb == "export" else "nobody"
    with pytest.raises(UserNotFound, match="user: no event of 'nobody' was ever accepted"):
        getattr(world.users, verb)(request)
