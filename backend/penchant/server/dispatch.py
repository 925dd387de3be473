"""From the bytes of calls to their replies: parse, check, serve.

A batch may mix methods. The calls of one method are served together, and each call gets its own
reply or its own error, in its place. Each call is told apart by the lane that it should wait in, so
that small calls never stand behind long ones.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, cast

from penchant.domain.caller import LOCAL, SCOPES_OF_VERB, Caller, Scope
from penchant.domain.errors import (
    ErrorKind,
    InternalError,
    InvalidRequest,
    PenchantError,
    PermissionDenied,
)
from penchant.service.attempt import attempt
from penchant.wire.call import parse_call
from penchant.wire.health_calls import is_health_call
from penchant_proto.methods import METHODS
from penchant_proto.v1.service_pb2 import Reply

Message = TypeVar("Message")
Request = TypeVar("Request")
Result = TypeVar("Result")


Answer = Reply | bytes | PenchantError
"""The reply, as a message or serialized; or the error."""


class Lane(Enum):
    """Where a call waits while its model is busy."""

    SMALL = "small"
    """Answered at once, with the others that arrived meanwhile."""
    ENCODER = "encoder"
    """Waits for the encoder together with others; nobody else should wait with it."""
    BULK = "bulk"
    """Takes long; worked on in slices, with small calls in between."""


class Plan(NamedTuple):
    """How a call is going to be answered."""

    lane: Lane
    cost: float
    """Rough cost, in any unit that all calls of a lane share; more than 0."""


SMALL = Plan(Lane.SMALL, 1.0)


def _small(message: object) -> Plan:
    return SMALL


class NativeVerb(Protocol):
    """The compiled way of a method, which answers its common small calls."""

    tag: bytes
    """First byte of its serialized calls: the number of its field in `Call`, length-delimited."""

    @property
    def parse(self) -> Callable[[bytes], NativeCall | None]:
        """Gives the parsed call; None: it takes the general way, which says what is wrong."""
        ...

    def answer(self, calls: Sequence[Any]) -> list[bytes | None]:
        """One serialized reply per parsed call, in order; None: it takes the general way."""
        ...


class NativeCall(Protocol):
    """A call that the compiled way has parsed."""

    @property
    def cost(self) -> float:
        """See `Plan.cost`."""
        ...

    @property
    def timeout_ms(self) -> int:
        """See `Call.timeout_ms`."""
        ...

    @property
    def health_check(self) -> bool:
        """See `Call.health_check`."""
        ...


@dataclass(frozen=True, slots=True)
class Verb(Generic[Message, Request, Result]):
    """The steps of one method. `read` and `check` refuse a request by raising a PenchantError."""

    read: Callable[[Message], Request]
    """From the request message to the service's request."""
    check: Callable[[Request], Request]
    """Returns the request if it keeps the limits."""
    serve: Callable[[Sequence[Request]], Sequence[Result | PenchantError]]
    """From several requests to one result or error each, in order."""
    write: Callable[[Result], Reply]
    """From a result to the reply."""
    plan: Callable[[Message], Plan] = _small
    """The lane of a request message, and its cost."""
    slices: Callable[[Request], Generator[None, None, Result]] | None = None
    """Like `serve` for one request, as a generator that pauses between two slices of the work.
    None: the work is one slice."""

    audit: Callable[[Request, Caller], None] | None = None
    """Notes that a caller is about to have a request served; may refuse. None: nobody asks."""

    native: NativeVerb | None = None
    """None: all calls take the general way."""

    def accept(self, message: Message, caller: Caller = LOCAL) -> Request:
        """Reads, checks and notes one request."""
        request = self.check(self.read(message))
        if self.audit is not None:
            self.audit(request, caller)
        return request


def one_by_one(
    serve: Callable[[Request], Result],
) -> Callable[[Sequence[Request]], list[Result | PenchantError]]:
    """`Verb.serve` for a service that takes one request at a time."""

    def serve_each(requests: Sequence[Request]) -> list[Result | PenchantError]:
        return [attempt(serve, request) for request in requests]

    return serve_each


class ParsedCall(NamedTuple):
    """A call that has been parsed but not answered. A tuple, for speed on the hot path."""

    field: str
    """The field of `Call.method`."""
    message: Any
    """The method's request message."""
    lane: Lane
    cost: float
    """See `Plan.cost`."""
    timeout_s: float
    """Seconds that the caller waits, from the call's arrival; 0: unknown."""
    health_check: bool
    """Whether this is a health check, which no metric counts."""
    caller: Caller = LOCAL
    """Who makes the call, and in whose store."""
    payload: bytes | None = None
    """The serialized call, where `message` is what its verb's compiled way has parsed."""


class Dispatch:
    """Answers the methods of its verbs; safe in threads."""

    def __init__(self, verbs: Mapping[str, Verb[Any, Any, Any]], request_bytes: int) -> None:
        """Makes the dispatch.

        Args:
            verbs: by the field of `Call.method`.
            request_bytes: size limit of one serialized call, in bytes.
        """
        self._verbs = verbs
        self._request_bytes = request_bytes
        natives = [(field, verb.native) for field, verb in verbs.items() if verb.native]
        self._natives = {native.tag: (field, native) for field, native in natives}

    @property
    def native(self) -> tuple[str, NativeVerb] | None:
        """The one method that has a compiled way, and that way; None if none has, or several."""
        natives = list(self._natives.values())
        return natives[0] if len(natives) == 1 else None

    def without_native(self) -> Dispatch:
        """The same verbs, with every call on the general way."""
        verbs = {field: replace(verb, native=None) for field, verb in self._verbs.items()}
        return Dispatch(verbs, self._request_bytes)

    def handle(self, payload: bytes) -> Answer:
        """Parses and answers one call."""
        call = self.parse(payload)
        return call if isinstance(call, PenchantError) else self.answer([call])[0]

    def parse(self, payload: bytes, caller: Caller = LOCAL) -> ParsedCall | PenchantError:
        """Parses one call of a caller.

        Returns:
            The call; InvalidRequest if it is malformed, too large, or another model's;
            PermissionDenied if the caller's scopes do not cover its method.
        """
        return attempt(self._parse, payload, caller)

    def slices(self, call: ParsedCall) -> Generator[None, None, Answer]:
        """The work on one call: pauses between two slices, returns the reply or the error."""
        verb = self._verbs[call.field]
        if call.payload is not None or verb.slices is None:
            return self.answer([call])[0]
        request = attempt(verb.accept, call.message, call.caller)
        if isinstance(request, PenchantError):
            return request
        work = verb.slices(request)
        try:
            while True:
                paused = attempt(_advance, work)
                if isinstance(paused, PenchantError):
                    return paused
                if isinstance(paused, _Finished):
                    return attempt(verb.write, paused.result)
                yield
        finally:
            work.close()

    def answer(self, calls: Sequence[ParsedCall]) -> list[Answer]:
        """One reply or error per call, in order."""
        answers = attempt(self._answers, calls)
        return [answers] * len(calls) if isinstance(answers, PenchantError) else answers

    def _answers(self, calls: Sequence[ParsedCall]) -> list[Answer]:
        if len(calls) == 1:
            return _answer(self._verbs[calls[0].field], calls)
        fields = dict.fromkeys([call.field for call in calls])
        if len(fields) == 1:  # The usual case, since most models have one method.
            return _answer(self._verbs[calls[0].field], calls)
        replies: list[Answer] = [InternalError()] * len(calls)
        for field in fields:
            places = [place for place, call in enumerate(calls) if call.field == field]
            answers = _answer(self._verbs[field], [calls[place] for place in places])
            for place, answer in zip(places, answers, strict=True):
                replies[place] = answer
        return replies

    def _parse(self, payload: bytes, caller: Caller) -> ParsedCall:
        if len(payload) > self._request_bytes:
            raise InvalidRequest(
                f"REQUEST: got {len(payload)} bytes, expected at most {self._request_bytes}"
            )
        native = self._natives.get(payload[:1])
        if native is not None and (call := _native_call(*native, payload, caller)) is not None:
            return call
        field, message, timeout_ms, health_check = parse_call(payload)
        verb = self._verbs.get(field)
        if verb is None:
            raise InvalidRequest(
                f"method: got {field}, which the model {METHODS[field].model} answers; "
                f"expected one of: {', '.join(sorted(self._verbs))}"
            )
        if caller is not LOCAL:
            _permit(caller, field, message)
            health_check = health_check and caller.is_server  # Others are counted all the same.
        lane, cost = verb.plan(message)
        return ParsedCall(field, message, lane, cost, timeout_ms / 1e3, health_check, caller)


def _native_call(
    field: str, native: NativeVerb, payload: bytes, caller: Caller
) -> ParsedCall | None:
    """The call for its verb's compiled way; None: it takes the general way."""
    if caller is not LOCAL and not caller.may(field):
        return None
    call = native.parse(payload)
    if call is None:
        return None
    health_check = call.health_check and (caller is LOCAL or caller.is_server)
    timeout_s = call.timeout_ms / 1e3
    return ParsedCall(field, call, Lane.SMALL, call.cost, timeout_s, health_check, caller, payload)


def _permit(caller: Caller, field: str, message: object) -> None:
    """Refuses a method that the caller's scopes do not cover.

    Raises:
        PermissionDenied: they do not, and the call is no health check of the server's own.
    """
    if caller.may(field) or (caller.is_server and is_health_call(field, message)):
        return
    wanted = " or ".join(sorted(SCOPES_OF_VERB[field] - {Scope.SERVER}))
    held = " ".join(sorted(caller.scopes)) or "none"
    raise PermissionDenied(f"scope: got {held}, expected {wanted} for {field}", "scope")


class _Finished(NamedTuple):
    """The result of sliced work."""

    result: Any


def _advance(work: Generator[None, None, Any]) -> _Finished | None:
    """Works on one slice; None if more are left."""
    try:
        next(work)
    except StopIteration as end:
        return _Finished(end.value)
    return None


def _answer(verb: Verb[Message, Request, Result], calls: Sequence[ParsedCall]) -> list[Answer]:
    """Takes the calls of one method through the verb's steps."""
    native = verb.native
    parsed = [] if native is None else [call.message for call in calls if call.payload is not None]
    if native is None or not parsed:
        # A tenant's store may have no compiled way where the server's own, which parsed, has one.
        return _answer_generally(verb, calls)
    replies = attempt(native.answer, parsed)
    if isinstance(replies, PenchantError):
        replies = [None] * len(parsed)
    elif len(parsed) == len(calls) and None not in replies:  # The usual case.
        return cast(list[Answer], replies)
    of_parsed = iter(replies)
    answers = [None if call.payload is None else next(of_parsed) for call in calls]
    left = [place for place, answer in enumerate(answers) if answer is None]
    others = iter(_answer_generally(verb, [calls[place] for place in left]))
    return [next(others) if answer is None else answer for answer in answers]


def _accepted(verb: Verb[Message, Request, Result], call: ParsedCall) -> Request:
    """A call's request; that of one that its verb's compiled way has declined is parsed anew."""
    message = call.message if call.payload is None else parse_call(call.payload).message
    return verb.accept(message, call.caller)


def _answer_generally(
    verb: Verb[Message, Request, Result], calls: Sequence[ParsedCall]
) -> list[Answer]:
    requests = [attempt(_accepted, verb, call) for call in calls]
    accepted = [request for request in requests if not isinstance(request, PenchantError)]
    results = _serve(verb, accepted)
    remaining = iter(results)
    return [
        request if isinstance(request, PenchantError) else _write(verb, next(remaining))
        for request in requests
    ]


def _write(verb: Verb[Message, Request, Result], result: Result | PenchantError) -> Answer:
    return result if isinstance(result, PenchantError) else attempt(verb.write, result)


def _serve(
    verb: Verb[Message, Request, Result], requests: Sequence[Request]
) -> Sequence[Result | PenchantError]:
    """Serves requests together; after a failure of the server, each alone, to spare the others."""
    if not requests:
        return []
    results = attempt(verb.serve, requests)
    if not isinstance(results, PenchantError):
        return results
    if results.kind is ErrorKind.INTERNAL and len(requests) > 1:
        return [_serve(verb, [request])[0] for request in requests]
    return [results] * len(requests)
