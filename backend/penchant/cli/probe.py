"""`penchant probe`: a real request to each model, for the probes of an orchestrator."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from penchant.launch.errors import LaunchError
from penchant.launch.model_parameters import HOME
from penchant.launch.ports import DEFAULT_TARGET
from penchant.launch.probe import ask, calls
from penchant.launch.server import TOKEN_NAME
from penchant.launch.shown_token import NO_TOKEN, ShownToken
from penchant.launch.tls import NO_TLS, ChannelAccess, ServerTls, TlsFiles
from penchant.report.printable import printable
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT, TARGET_IN_USE, Repeated, shows
from penchant_proto.local_targets import is_local


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """The server to ask, and how long to wait."""

    target: Annotated[str, TARGET_IN_USE, Parameter(metavar="HOST:PORT")] = DEFAULT_TARGET
    """gRPC address of the server."""
    tls: Annotated[TlsFiles, FLAT] = NO_TLS
    """Certificates for a server that speaks TLS."""
    serve_tls: Path | None = None
    """Directory that `penchant serve` was given as --tls, for a probe beside it: trusts that very
    certificate, whatever its names, instead of an authority."""
    token: Annotated[ShownToken, FLAT] = NO_TOKEN
    """The token for a server that asks for one; beside such a server, its own `health-token` is
    found where it writes its logs."""
    models: Annotated[Repeated, Parameter(name="--model", show_default=shows("all five"))] = ()
    """Name of a model to ask; repeatable."""
    timeout: Annotated[float, Parameter(validator=Number(gt=0))] = 2
    """Time limit of each model's answer, in seconds."""


_DEFAULTS = ProbeRequest()
_ASKS_FOR_TOKEN = "[Unauthenticated]"
"""What a model answers to whom it does not know, whether or not its store and encoder work."""


def probe(*, request: Annotated[ProbeRequest, FLAT] = _DEFAULTS) -> int:
    """Sends one small real request to each model. Exits with status 1 if one gives no good answer.

    It ranks, reads the store and runs the encoder, changes nothing and counts in no metric. Triton
    reports readiness for models whose processes are dead; this tells.
    """
    known = calls()
    unknown = [name for name in request.models if name not in known]
    console = terminal()
    if unknown:
        console.say(f"model: got {printable(unknown[0])}, expected one of {', '.join(known)}")
        return 2
    names = request.models or tuple(known)
    results = ask(request.target, names, timeout_s=request.timeout, access=_access(request))
    good = [result.alive and not result.text.startswith(_ASKS_FOR_TOKEN) for result in results]
    for result, works in zip(results, good, strict=True):
        state = "ok" if works else "fail"
        console.say(f"{result.model} {state} {result.latency_ms:.1f} ms: {printable(result.text)}")
    return 0 if all(good) else 1


def _access(request: ProbeRequest) -> ChannelAccess:
    server = ServerTls.of(request.serve_tls)
    if server is not None and request.tls != NO_TLS:
        raise LaunchError("serve-tls: got files of a client beside it, expected one of both")
    access = server.probe_access() if server else ChannelAccess(request.tls.credentials())
    return replace(access, token=_token(request))


def _token(request: ProbeRequest) -> str:
    """The token that was given, or that of the server of this working directory."""
    read = request.token.reader()
    if read is not None:
        return read()
    own = HOME / f"serve-{request.target.rpartition(':')[2]}" / TOKEN_NAME
    if not is_local(request.target) or not own.is_file():
        return ""
    return own.read_text(encoding="ascii", errors="ignore").strip()
