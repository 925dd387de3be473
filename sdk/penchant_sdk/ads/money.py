"""Amounts of money, as a type of their own, so that they are not confused with other numbers.

>>> bid = Money.of("0.25")
>>> bid * 4, bid < Money.of(1), str(bid)
(Money(micros=1000000), True, '0.25')
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from penchant_sdk.errors import InvalidRequest

_MICROS = 1_000_000


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in millionths of a currency; all amounts of one server use the same currency."""

    micros: int
    """Millionths of the currency, 0 or more."""

    def __post_init__(self) -> None:
        if isinstance(self.micros, bool) or not isinstance(self.micros, int) or self.micros < 0:
            raise InvalidRequest(f"money: got {self.micros!r} micros, expected 0 or a whole number")

    @classmethod
    def of(cls, amount: Decimal | int | str) -> Money:
        """An exact amount of the currency; takes no float, because floats cannot hold cents.

        Raises:
            InvalidRequest: the amount is not a number, below 0, or has over six decimals.
        """
        try:
            micros = Decimal(amount) * _MICROS
        except (InvalidOperation, TypeError, ValueError):
            raise InvalidRequest(
                f"money: got {amount!r}, expected a number such as '0.25'"
            ) from None
        if not micros.is_finite() or micros != int(micros):
            raise InvalidRequest(f"money: got {amount!r}, expected at most six decimals")
        return cls(int(micros))

    @property
    def amount(self) -> Decimal:
        """The amount in units of the currency."""
        return Decimal(self.micros) / _MICROS

    def __add__(self, other: Money) -> Money:
        return Money(self.micros + other.micros)

    def __mul__(self, factor: float) -> Money:
        """Multiplies by a factor of 0 or more, and rounds to a millionth."""
        return Money(round(self.micros * factor))

    def __str__(self) -> str:
        return f"{self.amount:.2f}"
