"""What a search for the capacity is asked: the server, the calls, the service level, the effort."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from penchant.capacity.service_level import ServiceLevel
from penchant.domain.errors import ConfigError
from penchant.launch.model_parameters import KEPT_ENCODER
from penchant.launch.shown_token import NO_TOKEN, ShownToken
from penchant.launch.tls import NO_TLS, TlsFiles
from penchant.system.option_types import ENCODER_IN_USE, FLAT, Pairs, Share, shows

_OWN = "A server of its own, without --target"
_SEARCH = "Search"
_Count = Annotated[int, Parameter(validator=Number(gte=1))]
_Seconds = Annotated[float, Parameter(validator=Number(gt=0), group=_SEARCH)]
_Rate = Annotated[float, Parameter(validator=Number(gt=0), group=_SEARCH)]


@dataclass(frozen=True, slots=True)
class CapacityRequest:
    """The options of `penchant capacity`."""

    target: Annotated[
        str | None, Parameter(metavar="HOST:PORT", show_default=shows("a server of its own"))
    ] = None
    """gRPC address of a running server. It gets as much load as it bears, and more: not one that
    people use."""
    tls: Annotated[TlsFiles, FLAT] = NO_TLS
    """Certificates, if the server speaks TLS."""
    token: Annotated[ShownToken, FLAT] = NO_TOKEN
    """The token, if the server asks for one."""
    p99_ms: Annotated[float, Parameter(validator=Number(gt=0))] = ServiceLevel().p99_ms
    """Latency that 99 % of the calls must keep, in milliseconds from when a call is due."""
    failed: Share = ServiceLevel().failed_share
    """Largest share of calls that may fail."""
    feedback_share: Annotated[
        Share | None, Parameter(show_default=shows("50%, with --target 0%"))
    ] = None
    """Share of the calls that report an event; the others rank."""
    candidates: Annotated[int, Parameter(validator=Number(gte=0, lte=5000))] = 0
    """Candidates of each ranking; 0: the whole catalog."""
    k: Annotated[int, Parameter(name=("-k", "--k"), validator=Number(gte=1, lte=1000))] = 10
    """Items that a ranking returns."""
    users: Path | None = None
    """File with the ids of users, one a line, who ask; default: made-up ones."""
    made_up_users: _Count = 1000
    """Number of made-up users; on a server of its own each has 30 events."""
    encoder: Annotated[
        Path | None, ENCODER_IN_USE, Parameter(show_default=KEPT_ENCODER, group=_OWN)
    ] = None
    """Directory of the encoder."""
    items: Annotated[_Count, Parameter(group=_OWN)] = 2000
    """Made-up items in its catalog."""
    rank_instances: Annotated[_Count, Parameter(group=_OWN)] = 2
    """Number of processes that rank."""
    settings: Annotated[Pairs, Parameter(name="--set", group=_OWN)] = ()
    """A setting of the models; repeatable."""
    lowest: _Rate = 10.0
    """Fewest calls per second that are tried."""
    highest: _Rate = 20_000.0
    """Most calls per second that are tried."""
    precision: Annotated[Share, Parameter(group=_SEARCH)] = 0.1
    """Ends when the 90 % interval of the capacity is this wide, as a share of its lower end."""
    most_levels: Annotated[_Count, Parameter(group=_SEARCH)] = 30
    """Ends after so many measured rates in any case, and says how wide the interval is."""
    warm_up: _Seconds = 2.0
    """Seconds of load before each measurement."""
    level: _Seconds = 8.0
    """Seconds of each measurement."""
    senders: Annotated[_Count, Parameter(group=_SEARCH)] = 1
    """Processes that send the load."""
    seed: Annotated[int, Parameter(group=_SEARCH)] = 1
    """Seed of arrivals, users and items."""
    output: Path = Path("capacity")
    """Directory for capacity.json and capacity.png."""

    @property
    def service(self) -> ServiceLevel:
        """What the server must keep."""
        return ServiceLevel(self.p99_ms, self.failed)

    @property
    def feedback(self) -> float:
        """Share of the calls that report an event."""
        if self.feedback_share is not None:
            return self.feedback_share
        return 0.5 if self.target is None else 0.0

    def check(self) -> None:
        """Raises ConfigError where options contradict each other."""
        if self.lowest >= self.highest:
            raise ConfigError(
                f"lowest: got {self.lowest:g}, expected less than --highest {self.highest:g}"
            )
        for name, share, top in (
            ("failed", self.failed, False),
            ("feedback-share", self.feedback, True),
            ("precision", self.precision, False),
        ):
            inside = 0 <= share <= 1 if top else 0 < share < 1
            if not inside:
                raise ConfigError(f"{name}: got {share:g}, expected a share such as 10%")

    def fingerprint(self) -> dict[str, str]:
        """What an unfinished search must have in common with this one to be gone on with."""
        left_out = ("tls", "token", "output", "most_levels", "precision")
        names = [name for name in self.__dataclass_fields__ if name not in left_out]
        return {name: str(getattr(self, name)) for name in names}
