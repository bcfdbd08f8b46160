"""A grid of fees: what an issuer's members owe for a period, as a general meeting votes it."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.base import Amount, Day, Key, Label, Name, Part

Fee = Annotated[Amount, Field(ge=0, lt=10**9)]
"""An amount that is not negative: what lowers it is a decision, and no line of a grid."""
Rate = Annotated[Decimal, Field(ge=0, le=100, max_digits=5, decimal_places=2)]
"""A percentage, such as 20 or 5.50."""
VatRegime = Literal["outside", "franchise", "exempt", "taxed"]


class Flat(Part):
    """The same for everybody."""

    by: Literal["flat"] = "flat"
    amount: Fee


class Band(Part):
    """Members with at most ``up_to`` people; the last band has no limit."""

    up_to: Annotated[int, Field(ge=0, lt=10**8)] | None = None
    amount: Fee


class ByHeadcount(Part):
    """By the number of people. ``unknown`` is billed where no number is known; without it nothing is."""

    by: Literal["headcount"]
    bands: Annotated[tuple[Band, ...], Field(min_length=1, max_length=50)]
    unknown: Fee | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        limits = [band.up_to for band in self.bands]
        if None in limits[:-1]:
            raise ValueError("only the last band may have no limit")
        bounded = [limit for limit in limits if limit is not None]
        if bounded != sorted(set(bounded)):
            raise ValueError("write the bands in order, each with a larger up_to than the one before")
        if limits[-1] is not None:
            raise ValueError(f"nobody with more than {limits[-1]} people has a band: leave up_to out of the last one")
        return self


class ByCategory(Part):
    """By the kind of member, in the former system's words in any case. ``otherwise`` is everybody else's."""

    by: Literal["category"]
    amounts: Annotated[dict[Name, Fee], Field(min_length=1, max_length=200)]
    otherwise: Fee | None = None


class Vat(Part):
    """How VAT is treated on one line; ``code`` is the reason why there is none, such as VATEX-FR-CGI261-7."""

    regime: VatRegime = "outside"
    rate: Rate = Decimal(0)
    code: Annotated[str, Field(max_length=40, pattern=r"^[A-Z0-9-]+$")] | None = None

    @model_validator(mode="after")
    def _rate_only_where_taxed(self) -> Self:
        if (self.regime == "taxed") != (self.rate > 0):
            raise ValueError("a line that is taxed has a rate above 0, and no other line has one")
        if self.regime == "exempt" and not self.code:
            raise ValueError("name the reason of the exemption as code, such as VATEX-FR-CGI261-7")
        return self


class GridLine(Part):
    """One line of what is owed. ``once`` is a joining fee: owed with the first period, and never in part."""

    code: Annotated[Key, Field(max_length=40, pattern=r"^[a-z0-9-]+$")]
    label: Name
    price: Annotated[Flat | ByHeadcount | ByCategory, Field(discriminator="by")]
    vat: Vat = Vat()
    account: Annotated[str, Field(pattern=r"^7[0-9]{2,9}$")] = "7561"
    once: bool = False


class Grid(Part):
    """All that says what a member owes for a period of twelve months.

    ``prorata`` is the unit of which parts are billed; with ``begun_counts`` one that has begun is billed whole.
    ``ahead_months``: who joins so many months before a period begins owes that period alone, and no part of the last.
    ``resignation``: whether who leaves within a period owes it whole, until the day, or until the end of the quarter.
    """

    issuer: Key
    name: Name
    valid_from: Day
    valid_until: Day | None = None
    currency: Literal["EUR"] = "EUR"
    starts_month: Annotated[int, Field(ge=1, le=12)] = 1
    prorata: Literal["none", "month", "quarter"] = "month"
    begun_counts: bool = True
    ahead_months: Annotated[int, Field(ge=0, le=6)] = 0
    resignation: Literal["due", "pro-rata", "quarter"] = "due"
    exempt_categories: tuple[Label, ...] = ()
    lines: Annotated[tuple[GridLine, ...], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.valid_until is not None and self.valid_until < self.valid_from:
            raise ValueError("valid_until lies before valid_from")
        codes = [line.code for line in self.lines]
        if len(set(codes)) < len(codes):
            raise ValueError("two lines have one code")
        if all(line.once for line in self.lines):
            raise ValueError("every line is owed once: one at least must be the due of a period")
        return self
