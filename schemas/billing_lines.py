"""What invoices and payments of former systems may say in detail: lines, VAT of each rate, allocations."""

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from schemas.base import Amount, Day, Key, Note, Part, to_the_cent, written_as_text

_MILLIONTH = Decimal("0.000001")


def _to_the_millionth(value: Decimal) -> Decimal:
    return value.quantize(_MILLIONTH) + 0


def _positive(value: Decimal) -> Decimal:
    if value <= 0:
        raise ValueError("must be more than nothing; leave it out where nothing was given up")
    return value


Quantity = Annotated[
    Decimal,
    Field(max_digits=14, decimal_places=6),
    BeforeValidator(written_as_text),
    AfterValidator(_to_the_millionth),
]
"""A number of things, or the price of one, as text ("2.500000"); at most 14 digits, 6 of them after the point."""

Rate = Annotated[
    Decimal, Field(max_digits=5, decimal_places=2), BeforeValidator(written_as_text), AfterValidator(to_the_cent)
]
"""A percentage, written as text ("20.00")."""

WrittenOff = Annotated[Amount, AfterValidator(_positive)]
"""An amount above nothing."""


class InvoiceLine(Part):
    """A line of a former system's invoice, as far as that system says it."""

    label: Note | None = Field(default=None, description="What the line is for, as the invoice says")
    quantity: Quantity | None = Field(default=None, description="How many")
    unit_price: Quantity | None = Field(default=None, description="Euros before VAT for one")
    net: Amount = Field(description="Euros before VAT for the whole line; of a credit note with the sign of its totals")
    vat_rate: Rate | None = Field(default=None, description="VAT rate, as a percentage")
    starts_on: Day | None = Field(default=None, description="First day that the line bills")
    ends_on: Day | None = Field(default=None, description="Last day that the line bills")


class VatOfRate(Part):
    """What an invoice says of one rate of VAT."""

    rate: Rate = Field(description="VAT rate, as a percentage")
    net: Amount = Field(description="Amount before VAT of all lines of this rate")
    vat: Amount = Field(description="The VAT's amount at this rate")


class Allocation(Part):
    """The part of a payment that is for one invoice."""

    invoice_id: Key
    amount: Amount = Field(description="Euros, with the sign of the payment")


def _each_once(allocations: tuple[Allocation, ...]) -> tuple[Allocation, ...]:
    if len({part.invoice_id for part in allocations}) < len(allocations):
        raise ValueError("two allocations name one invoice: add them up")
    return allocations


Lines = Annotated[tuple[InvoiceLine, ...], Field(max_length=1_000)]
VatRates = Annotated[tuple[VatOfRate, ...], Field(max_length=20)]
Allocations = Annotated[tuple[Allocation, ...], Field(max_length=1_000), AfterValidator(_each_once)]
