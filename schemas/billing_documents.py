"""What billing may be asked about runs and documents."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from schemas.base import Day, Label
from schemas.billing_operations import IssuerCode, NothingMore, OfIssuer, billing
from schemas.operation import Arguments, Id

DocumentKind = Literal["invoice", "credit-note", "dues-notice"]
FilesState = Literal["ready", "waiting", "failed"]
Number = Annotated[str, Field(pattern=r"^[A-Z0-9-]{1,35}$")]

# --- answers --------------------------------------------------------------------------------------------------------


class RunShown(BaseModel):
    """A run for the period that begins on ``first``: how many documents, and what they come to."""

    run_id: str
    issuer: str
    first: date
    state: Literal["prepared", "approved", "issued"]
    documents: int
    total: Decimal
    prepared_by: str
    prepared_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    issued_by: str | None
    issued_at: datetime | None


class Runs(BaseModel):
    """Runs, the newest first."""

    items: list[RunShown]


class ProposedDocument(BaseModel):
    """A document to come; ``why`` is the reason of its amount, in a sentence."""

    record: str
    name: str
    kind: DocumentKind
    amount: Decimal
    lines: list[str]
    why: str


class NotIssued(BaseModel):
    """A record of which nothing is issued, or whose price is a guess, and what mends it."""

    record: str
    why: str


class PreparedRun(RunShown):
    """A run with what would be issued now; ``unchanged`` is whether that is still what was prepared."""

    unchanged: bool
    proposed: list[ProposedDocument]
    held_back: list[NotIssued]


class Issued(BaseModel):
    """What a run issued: the first thousand numbers."""

    run_id: str
    documents: int
    total: Decimal
    numbers: list[str]


class DocumentLine(BaseModel):
    """A line of a document."""

    place: int
    label: str
    amount: Decimal
    vat_regime: str
    vat_rate: Decimal
    account: str


class DocumentShown(BaseModel):
    """A document as it was issued; ``corrects`` is the number of the invoice that a credit note corrects.

    ``files`` says whether its PDF and XML are made; ``failed`` ones are tried again, ever later.
    """

    document_id: str
    number: str
    kind: DocumentKind
    issuer: str
    buyer: str | None
    record: str
    first: date
    issued_on: date
    due_on: date | None
    corrects: str | None
    net: Decimal
    vat: Decimal
    gross: Decimal
    reference: str
    why: str
    issued_by: str
    files: FilesState = "waiting"
    lines: list[DocumentLine]


class Documents(BaseModel):
    """Documents, the newest first; their lines are in the document itself."""

    items: list[DocumentShown]


class DocumentFiles(BaseModel):
    """The files of a document as they were made once, in base64, and their SHA-256 in hexadecimal."""

    number: str
    pdf: str
    pdf_sha256: str
    xml: str
    xml_sha256: str


class SeriesShown(BaseModel):
    """One series of a year. ``missing`` is 0, and ``counted`` true, unless somebody altered the database.

    ``lost`` are numbers that were sent before a restore, and of which no document is left here.
    """

    issuer: str
    kind: DocumentKind
    year: int
    first: str
    last: str
    count: int
    missing: int
    last_on: date
    counted: bool
    lost: int = 0


class Series(BaseModel):
    """Every series of numbers that was begun."""

    items: list[SeriesShown]


# --- arguments ------------------------------------------------------------------------------------------------------


class RunArguments(Arguments):
    """Of which issuer, for the period that begins on which day."""

    issuer: IssuerCode
    first: Annotated[Day, Field(description="first day of the period")]


class OneRun(Arguments):
    """Which run."""

    run_id: Id


class OfDocuments(Arguments):
    """Of which issuer, and which record; of all where they are left out."""

    issuer: IssuerCode | None = None
    record: Label | None = Field(None, description="cluster and id, such as numelink/1042")
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class OneDocument(Arguments):
    """Which document."""

    number: Number


# --- the table ------------------------------------------------------------------------------------------------------

RUNS: Final = billing(
    "runs", "query", "see-billing", "runs", (OfIssuer, Runs),
    ("Runs of documents: prepared, approved, issued.", "Les appels : préparés, approuvés, émis."),
)  # fmt: skip
RUN: Final = billing(
    "run", "query", "see-billing", "runs/{run_id}", (OneRun, PreparedRun),
    ("A run, with the documents that would be issued now.", "Un appel, avec les pièces qui seraient émises."),
)  # fmt: skip
PREPARE_RUN: Final = billing(
    "prepare-run", "command", "bill", "runs", (RunArguments, PreparedRun),
    ("Work out the documents that a period asks for; nothing is issued.",
     "Calculer les pièces que demande une période ; rien n'est émis."),
    "traboule billing prepare-run",
)  # fmt: skip
APPROVE_RUN: Final = billing(
    "approve-run", "command", "approve-billing", "runs/{run_id}/approve", (OneRun, RunShown),
    ("Approve a prepared run, by somebody else than who prepared it.",
     "Approuver un appel préparé, par quelqu'un d'autre que son auteur."),
    "traboule billing approve-run",
)  # fmt: skip
ISSUE_RUN: Final = billing(
    "issue-run", "command", "approve-billing", "runs/{run_id}/issue", (OneRun, Issued),
    ("Issue the documents of an approved run. They are numbered, and never altered.",
     "Émettre les pièces d'un appel approuvé. Elles sont numérotées, et jamais modifiées."),
    "traboule billing issue-run",
)  # fmt: skip
DOCUMENTS: Final = billing(
    "documents", "query", "see-billing", "documents", (OfDocuments, Documents),
    ("Documents that were issued.", "Les pièces émises."),
)  # fmt: skip
DOCUMENT: Final = billing(
    "document", "query", "see-billing", "documents/{number}", (OneDocument, DocumentShown),
    ("One document with its lines.", "Une pièce avec ses lignes."),
)  # fmt: skip
FILES: Final = billing(
    "document-files", "query", "see-billing", "documents/{number}/files", (OneDocument, DocumentFiles),
    ("The PDF/A-3 of a document, with its Factur-X inside, and the XML alone.",
     "Le PDF/A-3 d'une pièce, avec son Factur-X, et le XML seul."),
)  # fmt: skip
SERIES: Final = billing(
    "series", "query", "see-billing", "series", (NothingMore, Series),
    ("The series of numbers: first, last, how many, and whether any is missing.",
     "Les séries de numéros : premier, dernier, combien, et s'il en manque."),
)  # fmt: skip

ALL: Final = (RUNS, RUN, PREPARE_RUN, APPROVE_RUN, ISSUE_RUN, DOCUMENTS, DOCUMENT, FILES, SERIES)
