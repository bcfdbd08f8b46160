"""What billing may be asked about numbers: whether they are whole, after a restore, and those of former systems."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, Field

from schemas.base import Key
from schemas.billing_documents import Number, SeriesShown
from schemas.billing_operations import NothingMore, billing
from schemas.operation import Arguments

# --- answers --------------------------------------------------------------------------------------------------------


class FailingDocument(BaseModel):
    """A document whose files could not be made, and when that is tried again."""

    number: str
    attempts: int
    error: str
    since: datetime
    next_at: datetime


class BillingCheck(BaseModel):
    """Whether documents can be issued, and what is wrong. ``compared`` is false after a restore, until it was done."""

    ok: bool
    compared: bool
    wrong: list[str]
    series: list[SeriesShown]
    failing: list[FailingDocument]


class LostNumbers(BaseModel):
    """Numbers that were sent and that this database does not know: documents to enter by hand from what was sent."""

    first: str
    last: str
    count: int


class ComparedSeries(BaseModel):
    """What came of a comparison: the numbers that are lost, and where each series goes on."""

    lost: list[LostNumbers]
    series: list[SeriesShown]


class FormerSeriesShown(BaseModel):
    """One series of a former system. ``missing`` names the first thousand, ``missing_count`` counts all."""

    series: str
    first: str
    last: str
    count: int
    missing_count: int
    missing: list[str]
    duplicates: list[str]


class FormerSeriesList(BaseModel):
    """The series of one cluster's former system, as they are mirrored now."""

    cluster: str
    items: list[FormerSeriesShown]


# --- arguments ------------------------------------------------------------------------------------------------------


class SentNumbers(Arguments):
    """The last number that was sent of each series."""

    sent: Annotated[list[Number], Field(min_length=1, max_length=100)]


class OfCluster(Arguments):
    """Of which cluster."""

    cluster: Annotated[Key, Field(max_length=40)]


# --- the table ------------------------------------------------------------------------------------------------------

CHECK: Final = billing(
    "check-billing", "query", "see-billing", "check", (NothingMore, BillingCheck),
    ("Whether documents can be issued: series, restores, files that cannot be made.",
     "Si des pièces peuvent être émises : séries, restaurations, fichiers en échec."),
)  # fmt: skip
COMPARE: Final = billing(
    "compare-series", "command", "approve-billing", "series/compare", (SentNumbers, ComparedSeries),
    ("Say, after a restore, which number of each series was sent last; numbers go on after it.",
     "Dire, après une restauration, le dernier numéro envoyé de chaque série ; la suite reprend après."),
    "traboule billing compare-series",
)  # fmt: skip
FORMER: Final = billing(
    "former-series", "query", "see-billing", "former-series", (OfCluster, FormerSeriesList),
    ("The series of a former system: first, last, how many, which are missing or there twice.",
     "Les séries d'un ancien système : premier, dernier, combien, manquants et doublons."),
)  # fmt: skip

ALL: Final = (CHECK, COMPARE, FORMER)
