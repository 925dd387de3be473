"""A client of an app in this process: the SDK and the server's code without a Triton between.

For evaluations that make many calls. What a Triton adds (queues, processes, the wire) is left out;
what is asked and answered is the same, byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from penchant.config import parse
from penchant.domain.errors import PenchantError
from penchant.encoder.base import Encoder
from penchant.encoder.library import EncoderLibrary
from penchant.server.app import App, build
from penchant.service.clock import Clock, system_clock
from penchant.service.meter import SilentMeter
from penchant_proto.methods import METHODS
from penchant_sdk import Penchant, ServerError
from penchant_sdk.errors import error_from_reason

TIMEOUT_S = 10.0
"""Of the clients: a put encodes in their own process."""

MODELS = tuple(sorted({method.model for method in METHODS.values()}))


class AppTransport:
    """Carries calls to an app, one at a time; see `penchant_sdk.Transport`."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._lock = Lock()

    def infer(self, model: str, payload: bytes, timeout_s: float) -> bytes:
        """The serialized reply; raises the SDK's errors."""
        with self._lock:
            reply = self._app.handle(payload)
        if isinstance(reply, PenchantError):
            raise error_from_reason(reply.reason, str(reply)) or ServerError(str(reply))
        return reply.SerializeToString()

    def model_ready(self, model: str, timeout_s: float) -> bool:
        """Always: it is in this process."""
        return True

    def close(self) -> None:
        """Closes the app's store."""
        self._app.close()


def client_of(
    encoder: Encoder,
    directory: Path,
    settings: Mapping[str, str] | None = None,
    clock: Clock = system_clock,
) -> Penchant:
    """A client of a new app with a store in memory.

    Args:
        encoder: makes the vectors.
        directory: for the catalogue's files; empty.
        settings: as in a model's configuration, beside store and encoder.
        clock: the server's.

    Raises:
        ConfigError: a setting does not fit.
    """
    given = {"store": "memory:", "encoder": str(directory), "catalog_dir": str(directory)}
    config = parse({**given, **(settings or {})})
    app = build(MODELS, config, EncoderLibrary(encoder), SilentMeter(), clock)
    return Penchant("in process", transport=AppTransport(app), timeout_s=TIMEOUT_S)
