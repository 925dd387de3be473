"""`penchant probe`: a real request to each model, for the probes of an orchestrator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from penchant.launch.errors import LaunchError
from penchant.launch.ports import DEFAULT_TARGET
from penchant.launch.probe import ask, calls
from penchant.launch.tls import NO_TLS, ChannelAccess, ServerTls, TlsFiles
from penchant.report.printable import printable
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT, TARGET_IN_USE, Repeated, shows


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
    models: Annotated[Repeated, Parameter(name="--model", show_default=shows("all five"))] = ()
    """Name of a model to ask; repeatable."""
    timeout: Annotated[float, Parameter(validator=Number(gt=0))] = 2
    """Time limit of each model's answer, in seconds."""


_DEFAULTS = ProbeRequest()


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
    for result in results:
        state = "ok" if result.alive else "fail"
        console.say(f"{result.model} {state} {result.latency_ms:.1f} ms: {printable(result.text)}")
    return 0 if all(result.alive for result in results) else 1


def _access(request: ProbeRequest) -> ChannelAccess:
    server = ServerTls.of(request.serve_tls)
    if server is None:
        return ChannelAccess(request.tls.credentials())
    if request.tls != NO_TLS:
        raise LaunchError("serve-tls: got files of a client beside it, expected one of both")
    return server.probe_access()
