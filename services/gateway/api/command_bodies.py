"""Commands as the bodies of requests: an operation's arguments, with who decides it and why."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import Field

from schemas import billing_corrections as corrections
from schemas import billing_decisions as billing
from schemas import billing_payments as payments
from schemas.base import Amount, Day, Key
from schemas.billing_charges import ALL as CHARGES
from schemas.billing_grids import Grid
from schemas.cutover_operations import Subject
from schemas.dead_letters import ALL as PARKED
from schemas.events_checkin import ALL as CHECK_IN
from schemas.events_operations import ALL as EVENTS
from schemas.events_passes import ALL as PASSES
from schemas.events_registrations import ALL as REGISTRATIONS
from schemas.parity_operations import ACCEPT, TAKE_BACK, Differences
from services.gateway.api.derived_bodies import derived_body
from services.gateway.api.signed import Deciding, Line, Signed
from services.gateway.problems import ProblemError
from services.membership.identity.decisions import LONGEST_AUTHOR, LONGEST_REASON


class Moving(Deciding):
    """A move of one former system."""

    move: Literal["mirror", "switch", "rollback", "retire"]
    overrule: list[Annotated[str, Field(max_length=40, pattern=r"^[a-z-]+$")]] = Field(
        [], max_length=20, description="conditions of a switch or rollback that may fail, by name; kept in the history"
    )
    confirm: str | None = Field(
        None, max_length=200, description="the former system's name, to retire it: there is no way back"
    )


class NotedBackup(Signed):
    """That all databases were backed up now."""

    note: Annotated[
        str, Field(min_length=1, max_length=LONGEST_REASON, description="where it lies, or how it was made"), Line
    ]


class ProposedGrid(Deciding):
    """A grid of fees, whole."""

    grid: Grid


class AdoptedGrid(Deciding):
    """That a grid is adopted, and which one in force it cuts short."""

    replaces: Annotated[str, Field(max_length=36)] | None = None


class DueDecision(Deciding):
    """A decision about one record's dues."""

    kind: billing.DecisionKind
    record: Key
    first: Day | None = None
    last: Day | None = None
    amount: Amount = Decimal("0.00")


class Run(Deciding):
    """Of which issuer, for the period that begins on which day."""

    issuer: Annotated[str, Field(max_length=40)]
    first: Day


class Reminders(Deciding):
    """Of which issuer, and how many days a document waits between two reminders."""

    issuer: Annotated[str, Field(max_length=40)]
    every: Annotated[int, Field(ge=1, le=365)] = 15


class Correction(Deciding):
    """What is credited of a document, by lines or by days; the reason is printed on the credit note."""

    cause: corrections.CorrectionReason
    lines: list[corrections.CreditedLine] = Field([], max_length=100)
    first: Day | None = None
    last: Day | None = None


class SentNumbers(Deciding):
    """The last number that was sent of each series."""

    sent: list[Annotated[str, Field(max_length=35)]] = Field(min_length=1, max_length=100)


class Payment(Deciding):
    """A payment that came in; once under one key."""

    issuer: Annotated[str, Field(max_length=40)]
    record: Key
    amount: payments.Euros
    received_on: Day
    means: payments.Means = "transfer"
    reference: Annotated[str, Field(max_length=140)] = ""
    key: Key


class Allocations(Deciding):
    """Which documents a payment pays."""

    documents: list[payments.PartOfPayment] = Field(min_length=1, max_length=200)


class Refund(Deciding):
    """How much is to be paid back; without an amount, all that is free."""

    amount: payments.Euros | None = None


class ApprovedRefund(Deciding):
    """The day on which the bank pays it."""

    paid_on: Day


class ReturnedPayment(Deciding):
    """When the bank took it back, why, and what it charged."""

    returned_on: Day
    code: payments.Code
    fee: Annotated[Amount, Field(ge=0)] = Decimal("0.00")


class ClosedYear(Deciding):
    """The books of which issuer, for the financial year that begins in which calendar year."""

    issuer: Annotated[str, Field(max_length=40)]
    year: Annotated[int, Field(ge=2000, le=2200)]


class NewSuppression(Deciding):
    """Whom, and which bulk mail; * is every purpose."""

    address: Annotated[str, Field(max_length=254)] | None = None
    record: Annotated[str, Field(max_length=300)] | None = None
    purpose: Annotated[str, Field(min_length=1, max_length=200)] = "*"


class Lifted(Deciding):
    """Where the proof is kept that the person asked for it."""

    proof: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON), Line]


class Uncertain(Deciding):
    """What becomes of mails of which nobody knows whether they arrived."""

    cause: Annotated[str, Field(min_length=1, max_length=200)]
    delivery_id: Annotated[str, Field(max_length=36)] | None = None
    decision: Literal["leave", "send-again"]


class TestMail(Deciding):
    """Of which brand, and to whom."""

    brand: Annotated[str, Field(max_length=40)]
    address: Annotated[str, Field(max_length=254)]


class InformationLetter(Deciding):
    """Who writes, as which legal body, since when, and where its privacy policy is."""

    brand: Annotated[str, Field(max_length=40)]
    controller: Annotated[str, Field(min_length=1, max_length=200), Line]
    merged_on: Day
    policy: Annotated[str, Field(max_length=500)]


class AssignedDifferences(Signed):
    """Differences of the newest comparison, and who sees to them."""

    differences: Differences
    subject: Subject = "mirror"
    owner: Annotated[str, Field(min_length=1, max_length=LONGEST_AUTHOR), Line] | None = Field(
        description="`me` is whoever asks; null: nobody any more"
    )


BODIES: Final[Mapping[str, type[Signed]]] = {
    "move": Moving,
    "apply-late": Deciding,
    "dismiss-late": Deciding,
    "note-backup": NotedBackup,
    "assign-differences": AssignedDifferences,
    "propose-grid": ProposedGrid,
    "adopt-grid": AdoptedGrid,
    "decide-due": DueDecision,
    "take-back-due-decision": Deciding,
    "prepare-run": Run,
    "approve-run": Deciding,
    "issue-run": Deciding,
    "correct-document": Correction,
    "compare-series": SentNumbers,
    "record-payment": Payment,
    "allocate-payment": Allocations,
    "undo-allocation": Deciding,
    "refund-payment": Refund,
    "approve-refund": ApprovedRefund,
    "return-payment": ReturnedPayment,
    "close-year": ClosedYear,
    "remind-overdue": Reminders,
    "suppress": NewSuppression,
    "lift-suppression": Lifted,
    "resume-domain": Deciding,
    "decide-uncertain": Uncertain,
    "send-test-mail": TestMail,
    "confirm-test-mail": Deciding,
    "send-information-letter": InformationLetter,
    **{
        operation.name: derived_body(operation)
        for operation in (*EVENTS, *REGISTRATIONS, *CHECK_IN, *CHARGES, *PASSES, *PARKED, ACCEPT, TAKE_BACK)
        if operation.kind == "command"
    },
}
"""The body of each command, by the operation's name."""


def check(body: Signed, system: str) -> None:
    """Raises ProblemError for what this former system cannot be asked, whatever its service thinks of it."""
    if not isinstance(body, Moving):
        return
    if body.move == "retire" and body.confirm != system:
        fault = {"field": "confirm", "message": f"must be {system}: there is no way back"}
        raise ProblemError("confirmation-missing", errors=[fault])
    if body.overrule and body.move not in ("switch", "rollback"):
        fault = {"field": "overrule", "message": f"a {body.move} has no conditions to overrule"}
        raise ProblemError("invalid-parameters", errors=[fault])
