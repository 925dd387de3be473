"""From the bytes of calls to their replies: parse, check, serve.

A batch may mix methods. The calls of one method are served together, and each call gets its own
reply or its own error, in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from penchant.domain.errors import ErrorKind, InternalError, InvalidRequest, PenchantError
from penchant.service.attempt import attempt
from penchant.wire.call import parse_call
from penchant_proto.methods import METHODS
from penchant_proto.v1.service_pb2 import Reply

Message = TypeVar("Message")
Request = TypeVar("Request")
Result = TypeVar("Result")


def _needs_no_encoder(message: object) -> bool:
    return False


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
    needs_encoder: Callable[[Message], bool] = _needs_no_encoder
    """Whether a request message has text to encode, which takes milliseconds."""

    def accept(self, message: Message) -> Request:
        """Reads and checks one request."""
        return self.check(self.read(message))


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
    needs_encoder: bool
    """Whether the answer waits for the encoder; other calls should not wait with it."""


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

    def handle(self, payload: bytes) -> Reply | PenchantError:
        """Parses and answers one call."""
        call = self.parse(payload)
        return call if isinstance(call, PenchantError) else self.answer([call])[0]

    def parse(self, payload: bytes) -> ParsedCall | PenchantError:
        """Parses one call; InvalidRequest if it is malformed, too large, or another model's."""
        return attempt(self._parse, payload)

    def answer(self, calls: Sequence[ParsedCall]) -> list[Reply | PenchantError]:
        """One reply or error per call, in order."""
        fields = dict.fromkeys([call.field for call in calls])
        if len(fields) == 1:  # The usual case, since most models have one method.
            return _answer(self._verbs[calls[0].field], [call.message for call in calls])
        replies: list[Reply | PenchantError] = [InternalError()] * len(calls)
        for field in fields:
            places = [place for place, call in enumerate(calls) if call.field == field]
            answers = _answer(self._verbs[field], [calls[place].message for place in places])
            for place, answer in zip(places, answers, strict=True):
                replies[place] = answer
        return replies

    def _parse(self, payload: bytes) -> ParsedCall:
        if len(payload) > self._request_bytes:
            raise InvalidRequest(
                f"REQUEST: got {len(payload)} bytes, expected at most {self._request_bytes}"
            )
        field, message = parse_call(payload)
        verb = self._verbs.get(field)
        if verb is None:
            raise InvalidRequest(
                f"method: got {field}, which the model {METHODS[field].model} answers; "
                f"expected one of: {', '.join(sorted(self._verbs))}"
            )
        return ParsedCall(field, message, verb.needs_encoder(message))


def _answer(
    verb: Verb[Message, Request, Result], messages: Sequence[Message]
) -> list[Reply | PenchantError]:
    """Takes the messages of one method through the verb's steps."""
    requests = [attempt(verb.accept, message) for message in messages]
    accepted = [request for request in requests if not isinstance(request, PenchantError)]
    results = _serve(verb, accepted)
    remaining = iter(results)
    return [
        request if isinstance(request, PenchantError) else _write(verb, next(remaining))
        for request in requests
    ]


def _write(
    verb: Verb[Message, Request, Result], result: Result | PenchantError
) -> Reply | PenchantError:
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
