"""An app with all models in one process, and calls to it as bytes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from penchant.config import Config
from penchant.domain.errors import PenchantError
from penchant.domain.limits import Limits
from penchant.encoder.bag_of_words import BagOfWords
from penchant.encoder.base import Encoder
from penchant.encoder.library import EncoderLibrary
from penchant.server.app import App, build
from penchant.server.dispatch import Answer
from penchant.service.meter import SilentMeter
from penchant_proto.methods import METHODS
from penchant_proto.v1.item_pb2 import Item
from penchant_proto.v1.service_pb2 import Call, Reply
from tests.support.histories import FILMS
from tests.support.world import NOW_US

ALL_MODELS = sorted({method.model for method in METHODS.values()})


def config_of(directory: Path, **limits: int) -> Config:
    """Settings with a store in memory."""
    return Config(
        store="memory:",
        encoder=directory,
        catalog_dir=directory,
        limits=dataclasses.replace(Limits(), **limits),
    )


def app_of(config: Config, encoder: Encoder | None = None) -> App:
    return build(
        ALL_MODELS,
        config,
        EncoderLibrary(encoder if encoder is not None else BagOfWords()),
        SilentMeter(),
        clock=lambda: NOW_US,
    )


def put_films(app: App) -> None:
    call = Call()
    call.put_items.items.extend(Item(id=id_, text=text) for id_, text in FILMS.items())
    answered(app, call)


def answered(app: App, call: Call) -> Reply:
    """The reply; raises the error of a refused call."""
    reply = app.handle(call.SerializeToString())
    if isinstance(reply, PenchantError):
        raise reply
    return reply


def refused(app: App, call: Call) -> PenchantError:
    reply = app.handle(call.SerializeToString())
    assert isinstance(reply, PenchantError)
    return reply


def together(app: App, calls: Sequence[Call]) -> list[Reply | PenchantError]:
    """The replies to calls that arrived in one batch."""
    parsed = [app.dispatch.parse(call.SerializeToString()) for call in calls]
    calls_ = [one for one in parsed if not isinstance(one, PenchantError)]
    return [read_answer(answer) for answer in app.dispatch.answer(calls_)]


def read_answer(answer: Answer) -> Reply | PenchantError:
    """An answer with its reply as a message."""
    return Reply.FromString(answer) if isinstance(answer, bytes) else answer


def rank_call(user: str = "u", k: int = 3, query: str = "") -> Call:
    call = Call()
    call.rank.user, call.rank.k, call.rank.query = user, k, query
    return call


def feedback_call(*event_ids: str, user: str = "u", item: str = "toy") -> Call:
    call = Call()
    call.feedback.SetInParent()
    for event_id in event_ids:
        call.feedback.events.add(event_id=event_id, user=user, item=item, signal="like")
    return call


def forget_call(user: str) -> Call:
    call = Call()
    call.forget_user.user = user
    return call
