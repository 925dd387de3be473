r"""Arguments, checked one by one: each becomes a plain Python value, or is refused by its name.

A NumPy or pandas scalar counts as the number or the text that it holds.

>>> whole("k", 3)
3
>>> texts_by_key("context", {"n": 5})
Traceback (most recent call last):
penchant_sdk.errors.InvalidRequest: context['n']: got 5, expected text
"""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TypeVar

from penchant_sdk.errors import InvalidRequest, PenchantError

UINT32_MAX = 2**32 - 1
UINT64_MAX = 2**64 - 1
_SHOWN = 80

Kind = TypeVar("Kind")
_Element = TypeVar("_Element")
Refusal = type[PenchantError]
"""Class of the error that refuses an argument."""


def shown(value: object) -> str:
    """A value as an error text shows it: its `repr`, cut after 80 characters."""
    try:
        text = repr(value)
    except ValueError:  # An integer of thousands of digits.
        text = f"a very long {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def instance(name: str, value: object, kind: type[Kind], error: Refusal = InvalidRequest) -> Kind:
    """The value, which must be of a class of the SDK."""
    if not isinstance(value, kind):
        raise error(f"{name}: got {shown(value)}, expected {_articled(kind.__name__)}")
    return value


def instances(
    name: str, values: object, kind: type[Kind], error: Refusal = InvalidRequest
) -> tuple[Kind, ...]:
    """The elements of an iterable, each of which must be of a class of the SDK."""
    found: list[object] = listed(name, values, f"{kind.__name__} objects", error)
    return tuple(instance(f"{name}[{place}]", one, kind, error) for place, one in enumerate(found))


def text(name: str, value: object, *, empty: bool = False, error: Refusal = InvalidRequest) -> str:
    """A text that UTF-8 can encode, of 1 byte or more unless it may be empty."""
    expected = "text" if empty else "text of 1 byte or more"
    if not isinstance(value, str) or not (value or empty):
        raise error(f"{name}: got {shown(value)}, expected {expected}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise error(
                f"{name}: got {value[:_SHOWN]!a}, expected text without lone surrogates, "
                "which UTF-8 cannot encode"
            ) from None
    return value


def texts(name: str, values: object, error: Refusal = InvalidRequest) -> list[str]:
    """A list of texts, some of them perhaps empty."""
    found: list[str] = listed(name, values, "texts", error)
    try:
        "".join(found).encode()
    except (TypeError, UnicodeEncodeError):
        for place, value in enumerate(found):
            text(f"{name}[{place}]", value, empty=True, error=error)
        raise
    return found


def texts_by_key(name: str, values: object, error: Refusal = InvalidRequest) -> dict[str, str]:
    """Texts by key, as in a context; None stands for none."""
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise error(f"{name}: got {shown(values)}, expected texts by key, such as {{'a': 'b'}}")
    for key, value in values.items():
        text(f"{name}: a key", key, empty=True, error=error)
        if type(value) is not str or not value.isascii():
            text(f"{name}[{key!r}]", value, empty=True, error=error)
    return dict(values)


def listed(name: str, values: object, what: str, error: Refusal = InvalidRequest) -> list[_Element]:
    """The elements of any iterable but a text, unchecked."""
    if isinstance(values, str):
        # A text is also an iterable of texts: its letters would be read as ids.
        raise error(f"{name}: got the text {shown(values)}, expected a list of {what}")
    if not isinstance(values, Iterable) or isinstance(values, bytes):
        raise error(f"{name}: got {shown(values)}, expected a list of {what}")
    return list(values)


def some(name: str, values: object, what: str, error: Refusal = InvalidRequest) -> list[_Element]:
    """The elements of an iterable, which must be 1 or more."""
    found: list[_Element] = listed(name, values, what, error)
    if not found:
        raise error(f"{name}: got none, expected 1 or more")
    return found


def whole(
    name: str,
    value: object,
    *,
    least: int = 0,
    most: int = UINT64_MAX,
    error: Refusal = InvalidRequest,
) -> int:
    """A whole number within bounds, both inclusive; a truth value is no number."""
    number = as_integer(value)
    if number is None:
        raise error(f"{name}: got {shown(value)}, expected a whole number")
    if number < least:
        raise error(f"{name}: got {shown(number)}, expected {least} or more")
    if number > most:
        raise error(f"{name}: got {shown(number)}, expected at most {most}")
    return number


def real(name: str, value: object, error: Refusal = InvalidRequest) -> float:
    """A number, perhaps not finite; a truth value is no number."""
    found = as_float(value)
    if found is None:
        raise error(f"{name}: got {shown(value)}, expected a number")
    return found


def longer_than_zero(name: str, value: object, error: Refusal = InvalidRequest) -> float:
    """A number of seconds above 0, and finite."""
    seconds = real(name, value, error)
    if not 0 < seconds < math.inf:
        raise error(f"{name}: got {shown(value)}, expected more than 0, and finite")
    return seconds


def flag(name: str, value: object, error: Refusal = InvalidRequest) -> bool:
    """True or False, NumPy's included."""
    if isinstance(value, bool) or _is_numpy_flag(value):
        return bool(value)
    raise error(f"{name}: got {shown(value)}, expected True or False")


def as_integer(value: object) -> int | None:
    """The integer that a value is; None if it is none."""
    if isinstance(value, bool) or _is_numpy_flag(value) or not hasattr(value, "__index__"):
        return None
    try:
        return operator.index(value)
    except TypeError:  # An array of more than one element.
        return None


def as_float(value: object) -> float | None:
    """The number that a value is; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, (numbers.Real, Decimal)):
        return None
    try:
        return float(value)
    except (OverflowError, ValueError):  # 10**400; a signalling NaN of Decimal.
        return None


def _is_numpy_flag(value: object) -> bool:
    kind = type(value)
    return kind.__module__ == "numpy" and kind.__name__ in ("bool", "bool_")


def _articled(noun: str) -> str:
    return f"{'an' if noun[0] in 'AEIOU' else 'a'} {noun}"
