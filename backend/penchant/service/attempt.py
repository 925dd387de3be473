"""One request's step: its result, or the error that answers this request alone.

Requests arrive in batches, and a failing one must not cost the others their replies. This is the
only place where an error becomes a request's answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from penchant.domain.errors import ErrorKind, InternalError, PenchantError
from penchant.store.base import WriteConflict

log = logging.getLogger("penchant")

_Arguments = TypeVarTuple("_Arguments")
_Result = TypeVar("_Result")


def attempt(
    step: Callable[[*_Arguments], _Result], *arguments: *_Arguments
) -> _Result | PenchantError:
    """Calls the step and returns its result, or the PenchantError that it raised.

    Any other exception becomes an InternalError. Faults of the server go to its log, since their
    text never reaches a client. WriteConflict goes on to whoever works the batch again.

    >>> from penchant.domain.errors import InvalidRequest
    >>> def reciprocal(x: float) -> float:
    ...     if x == 0:
    ...         raise InvalidRequest("x: got 0, expected another number")
    ...     return 1 / x
    >>> [attempt(reciprocal, x) for x in (2, 0)]
    [0.5, InvalidRequest('x: got 0, expected another number')]
    """
    try:
        return step(*arguments)
    except PenchantError as error:
        if error.kind is ErrorKind.INTERNAL:
            log.error("%s: %s", error.reason, error)
        return error
    except WriteConflict:
        raise
    except Exception:
        log.exception("a request failed")
        return InternalError()
