"""`penchant certs`: an authority for development, and certificates of a server and its clients."""

from __future__ import annotations

from typing import Annotated

from penchant.cli.next_steps import command_line
from penchant.launch.certs import AUTHORITY, SERVER, CertsRequest, make_certs
from penchant.report.printable import printable
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT

_DEFAULTS = CertsRequest()


def certs(*, request: Annotated[CertsRequest, FLAT] = _DEFAULTS) -> None:
    """Makes certificates for `--tls`: of an authority for development, a server and its clients.

    An authority that is in the directory signs again, so that further clients and renewals need no
    new trust. In production, let your own authority make such directories, with the same file names
    (cert-manager's secrets have them).
    """
    console = terminal()
    for issued in make_certs(request):
        names = f" for {', '.join(issued.names)}" if issued.names else ", the authority"
        did = "Kept" if issued.kept else "Wrote"
        place = printable(str(issued.directory))
        console.say(f"{did} {place}{names}; expires on {issued.until:%Y-%m-%d}.")
    client = request.output / next(iter(request.clients), SERVER)
    console.say(
        "Try next:\n"
        f"  {command_line('serve', '--tls', request.output / SERVER)}\n"
        f"  {command_line('probe', '--tls', client)}\n"
        f"Keep {printable(str(request.output / AUTHORITY))} off the server: its key signs further "
        "certificates."
    )
