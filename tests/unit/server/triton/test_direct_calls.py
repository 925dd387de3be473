"""Calls that are answered where Triton hands them over: in their places, as the general way would.

Each test starts a server's rank model on a catalog that another model has put.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from penchant.config import Config
from penchant.domain.errors import StoreUnavailable
from penchant.encoder.base import Encoders
from penchant.encoder.library import EncoderLibrary
from penchant.server.triton.adapter import Adapter
from penchant.system.native_module import NATIVE_VARIABLE
from penchant_proto.v1.service_pb2 import Call, Reply
from tests.support.calls import rank_call
from tests.support.fake_pb_utils import FakePbUtils, Request, Response, Sent
from tests.support.watched_encoder import WatchedEncoder
from tests.unit.server.triton.test_adapter import arguments, put_call, request

pytest.importorskip("penchant_native", reason="not built: pip install ./native")


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Adapter]:
    def local_encoders(adapter: Adapter, model: str, config: Config) -> Encoders:
        return EncoderLibrary(WatchedEncoder())

    monkeypatch.setattr(Adapter, "_encoders", local_encoders)
    store = {"store": f"lmdb:{tmp_path / 'store'}", "encoder": "/e", "catalog_dir": str(tmp_path)}

    def begin(model: str, pb_utils: FakePbUtils | None = None) -> Adapter:
        return Adapter(pb_utils or FakePbUtils(), arguments(model, store))

    catalog = begin("penchant_catalog")
    catalog.execute([request(put_call())])
    catalog.close()
    return begin


def answered(response: Response) -> Reply | str:
    """The reply without its random id, or the text of the error."""
    if response.has_error():
        return response.error().text
    reply = response.reply()
    reply.rank.recommendation_id = ""
    return reply


def any_batch() -> list[Request]:
    """Calls for the direct way between others, each of which is answered at once too."""
    diverse, several = rank_call(k=2), Request(rank_call().SerializeToString(), (2, 1))
    diverse.rank.diversity = 0.5
    calls = [rank_call(k=3), diverse, rank_call(k=0), rank_call(k=2)]
    return [request(calls[0]), Request(b"\xff"), *map(request, calls[1:]), several]


def test_each_call_gets_the_general_ways_answer_in_its_place(
    start: Callable[..., Adapter], monkeypatch: pytest.MonkeyPatch
) -> None:
    ways: list[list[Reply | str]] = []
    for forced in ("", "off"):
        monkeypatch.setenv(NATIVE_VARIABLE, forced)
        adapter = start("penchant_rank")
        ways.append([answered(response) for response in adapter.execute(any_batch())])
        adapter.close()
    direct, general = ways
    assert direct == general
    refused = [isinstance(answer, str) for answer in direct]
    assert refused == [False, True, False, True, False, True]


def test_they_are_counted_as_all_others(start: Callable[..., Adapter]) -> None:
    pb_utils = FakePbUtils()
    adapter = start("penchant_rank", pb_utils)
    adapter.execute([request(rank_call()) for _ in range(3)])
    adapter.execute([request(Call(rank=rank_call().rank, health_check=True))])
    adapter.close()
    assert pb_utils.value("penchant_requests_total", method="rank", result="ok") == 3
    assert pb_utils.value("penchant_request_seconds_count", method="rank") == 3
    assert pb_utils.value("penchant_request_seconds_sum", method="rank") > 0
    assert pb_utils.value("penchant_batch_calls_count") == 2
    assert pb_utils.value("penchant_batch_calls_sum") == 4
    assert pb_utils.value("penchant_rankings_total", user="cold") == 4


def test_a_request_without_its_tensor_costs_the_others_nothing(
    start: Callable[..., Adapter], monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking, pb_utils = request(rank_call()), FakePbUtils()
    read = pb_utils.get_input_tensor_by_name

    def find(one: Request, name: str) -> Sent | None:
        return None if one is lacking else read(one, name)

    monkeypatch.setattr(pb_utils, "get_input_tensor_by_name", find)
    adapter = start("penchant_rank", pb_utils)
    good, refused, also_good = adapter.execute(
        [request(rank_call()), lacking, request(rank_call())]
    )
    assert refused.error().text.startswith("[InvalidRequest] REQUEST: ")
    assert good.reply().rank.items == also_good.reply().rank.items
    adapter.close()


def test_a_store_that_fails_is_said_and_the_next_call_is_answered(
    start: Callable[..., Adapter], monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = start("penchant_rank")

    def away() -> None:
        raise StoreUnavailable("store: its disk is gone")

    with monkeypatch.context() as failing:
        failing.setattr(adapter._app.store, "snapshot", away)
        (refused,) = adapter.execute([request(rank_call())])
    assert refused.error().text.startswith("[StoreUnavailable]")
    (response,) = adapter.execute([request(rank_call())])
    assert response.reply().rank.items
    adapter.close()


def test_a_call_that_is_declined_is_parsed_once_more_and_timed_from_its_arrival(
    start: Callable[..., Adapter], monkeypatch: pytest.MonkeyPatch
) -> None:
    pb_utils, tries = FakePbUtils(), list[int]()
    adapter = start("penchant_rank", pb_utils)
    assert adapter._direct is not None

    def declines(native: object, calls: Sequence[object]) -> list[None]:
        tries.append(len(calls))
        time.sleep(0.05)  # Such as for a store that is found away.
        return [None] * len(calls)

    monkeypatch.setattr(type(adapter._direct._native), "answer", declines)
    (response,) = adapter.execute([request(rank_call())])
    adapter.close()
    assert response.reply().rank.items
    assert tries == [1]
    assert pb_utils.value("penchant_request_seconds_sum", method="rank") > 0.05
