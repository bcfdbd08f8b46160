"""What billing may be asked about its books."""

from datetime import date
from typing import Annotated, Final

from pydantic import BaseModel, Field

from schemas.billing_operations import IssuerCode, billing
from schemas.operation import Arguments


class Ledger(BaseModel):
    """Entries of a financial year, each row a line in the columns of the FEC (art. A47 A-1 LPF).

    ``entries`` counts those of the year, ``next`` is the place of the last one here: ask on after it. Nothing is added
    any more to days until ``closed_until``.
    """

    issuer: str
    first: date
    last: date
    file: str
    columns: list[str]
    rows: list[list[str]]
    entries: int
    next: int
    closed_until: date | None


class OfLedger(Arguments):
    """Of which issuer, for the financial year that begins in which calendar year; a page of its entries."""

    issuer: IssuerCode
    year: Annotated[int, Field(ge=2000, le=2200)]
    after: Annotated[int, Field(ge=0, description="the place of the entry after which to begin")] = 0
    limit: Annotated[int, Field(ge=1, le=1_000)] = 1_000


class Closed(BaseModel):
    """The last day of the books that are closed."""

    issuer: str
    closed_until: date


class ClosedYear(Arguments):
    """The books of which issuer, for the financial year that begins in which calendar year."""

    issuer: IssuerCode
    year: Annotated[int, Field(ge=2000, le=2200)]


LEDGER: Final = billing(
    "ledger", "query", "see-billing", "ledger", (OfLedger, Ledger),
    ("The entries of a financial year, in the columns of the FEC.",
     "Les écritures d'un exercice, dans les colonnes du FEC."),
    "traboule billing ledger",
)  # fmt: skip

CLOSE_YEAR: Final = billing(
    "close-year", "command", "approve-billing", "ledger/close", (ClosedYear, Closed),
    ("Close the books of a financial year that is over: nothing is added to it any more.",
     "Clôturer un exercice terminé : plus aucune écriture n'y entre."),
    "traboule billing close-year",
)  # fmt: skip

ALL: Final = (LEDGER, CLOSE_YEAR)
