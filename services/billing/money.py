"""Amounts of money: whole cents, rounded in one way. ``Decimal`` alone would round half to even."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

CENT: Final = Decimal("0.01")


def to_cents(amount: Decimal) -> int:
    """An amount in euros as whole cents, half a cent rounded away from zero."""
    return int((amount * 100).quantize(Decimal(1), ROUND_HALF_UP))


def euros(cents: int) -> Decimal:
    """Whole cents as an amount in euros, with two decimals."""
    return Decimal(cents).scaleb(-2)


def rounded(amount: Decimal) -> Decimal:
    """An amount in euros to the cent, half a cent rounded away from zero."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def part_of(cents: int, index: int, units: int) -> int:
    """What one of so many equal units costs, so that all together cost ``cents``: twelve of 1,000.00 are 83.33, 83.34…

    ``cents`` is not negative; ``index`` counts from 0. It is the difference of two rounded sums, half up.
    """
    return parts_of(cents, index, index + 1, units)


def parts_of(cents: int, start: int, stop: int, units: int) -> int:
    """What the units from ``start`` to ``stop`` cost, the last one not included: parts of a whole add up to it."""
    return _upto(cents, stop, units) - _upto(cents, start, units)


def _upto(cents: int, count: int, units: int) -> int:
    return (2 * cents * count + units) // (2 * units)


def vat_of(net: Decimal, rate: Decimal) -> Decimal:
    """VAT on the sum of all lines of one rate, rounded once. ``rate`` is a percentage."""
    return rounded(net * rate / 100)


def credited_vat(net: Decimal, rate: Decimal, left: Decimal) -> Decimal:
    """VAT of a credit of ``net``, of which ``left`` was left: it is the VAT before less the VAT after.

    So the credits of a document carry its VAT together, however they part it.
    """
    return vat_of(left, rate) - vat_of(left - net, rate)
