"""The laws of a client on the backend itself, without Triton between the two.

The fake and the backend are held to the same laws here, where a difference is cheap to find; the
integration tests do it once more over the wire.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Lock

import pytest

from penchant.config import Config
from penchant.domain.errors import PenchantError
from penchant.encoder.library import EncoderLibrary
from penchant.server.app import App, build
from penchant.server.triton.errors import CODE_OF, message_of
from penchant.service.meter import SilentMeter
from penchant_sdk import Penchant
from penchant_sdk._wire import MODELS
from penchant_sdk.errors import error_from_status
from tests.contracts.client_laws import ClientLaws
from tests.support.bag_of_words import BagOfWords
from tests.unit.sdk.status_codes import GRPC_CODE_OF


class AppTransport:
    """Carries calls to an App in this process, one at a time as a model instance would."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._lock = Lock()

    def infer(self, model: str, payload: bytes, timeout_s: float) -> bytes:
        with self._lock:
            reply = self._app.handle(payload)
        if isinstance(reply, PenchantError):
            raise error_from_status(GRPC_CODE_OF[CODE_OF[reply.kind]], message_of(reply))
        return reply.SerializeToString()

    def model_ready(self, model: str, timeout_s: float) -> bool:
        return True

    def close(self) -> None:
        self._app.close()


@pytest.fixture(scope="module")
def penchant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Penchant]:
    directory: Path = tmp_path_factory.mktemp("app")
    config = Config(store="memory:", encoder=directory, catalog_dir=directory)
    app = build(MODELS, config, EncoderLibrary(BagOfWords()), SilentMeter())
    with Penchant("app", transport=AppTransport(app), timeout_s=10) as penchant:
        yield penchant


class TestLawsOnTheApp(ClientLaws):
    pass
