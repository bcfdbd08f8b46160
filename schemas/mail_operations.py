"""What communications may be asked about mail: what waits and went out, who must not be written to, and decisions."""

from datetime import datetime
from functools import partial
from typing import Annotated, Final, Literal

from pydantic import BaseModel, EmailStr, Field, model_validator

from schemas.base import Day, Key, Label, Name
from schemas.letters import Link
from schemas.operation import Arguments, Id, operation_of

DeliveryState = Literal[
    "due", "handing", "accepted", "refused", "gave-up", "uncertain", "suppressed", "cancelled"
]  # fmt: skip
Mode = Literal["bulk", "transactional"]
RecordName = Annotated[str, Field(pattern=r"^[a-z0-9-]+/.+$", max_length=300, description="such as numelink/1042")]
Domain = Annotated[str, Field(pattern=r"^[a-z0-9.-]{1,253}$")]


# --- answers --------------------------------------------------------------------------------------------------------


class MailCount(BaseModel):
    """How many mails of a kind are in a state; over all states they add up to what was queued."""

    kind: str
    mode: Mode
    state: DeliveryState
    count: int


class PausedDomain(BaseModel):
    """A domain that nothing is sent to, and why: its servers refuse us."""

    domain: str
    because: str
    since: datetime
    waiting: int


class MailStatus(BaseModel):
    """What waits, what went out, and what wants a decision."""

    counts: list[MailCount]
    paused: list[PausedDomain]
    oldest_due: datetime | None = None
    suppressed: dict[str, int] = Field(description="What is in force, by reason")
    unmatched_objections: int = Field(description="By links of mails that this database lacks, since a restore")
    sends: bool = Field(True, description="Whether there is a mail file; without one nothing is written, ever")
    set_aside: dict[str, int] = Field(
        default_factory=dict, description="Facts of which no mail could be made, by reason: see the dead letters"
    )


class DeliveryShown(BaseModel):
    """One mail: to whom, when, and what was answered. Name and address are null once they were forgotten."""

    delivery_id: str
    kind: str
    mode: Mode
    purpose: str
    cause: str
    brand: str
    records: list[str]
    name: str | None = None
    address: str | None = None
    state: DeliveryState
    attempt: int
    created_at: datetime
    due_at: datetime | None = None
    handed_at: datetime | None = None
    ended_at: datetime | None = None
    code: int | None = None
    answer: str | None = None


class Deliveries(BaseModel):
    """Mails, the newest first."""

    items: list[DeliveryShown]


class SuppressionShown(BaseModel):
    """Why somebody is not written to. ``covers``: everything, or bulk mail of a purpose (* is every purpose)."""

    suppression_id: int
    reason: str
    source: str
    covers: Literal["everything", "bulk"]
    purpose: str
    at: datetime
    records: list[str]
    lifted_at: datetime | None = None
    lifted_by: str | None = None
    proof: str | None = None


class Suppressions(BaseModel):
    """Those in force first, then those that were lifted."""

    items: list[SuppressionShown]


class Changed(BaseModel):
    """How many there were."""

    changed: int


class LettersQueued(BaseModel):
    """How many mails wait now, and records that hear of it by post."""

    queued: int
    queued_before: int = Field(description="Those that an earlier command queued")
    without_address: int = Field(description="Records without an address that could be written to")


class Queued(BaseModel):
    """The mail that waits now."""

    delivery_id: str


class TestMailSeen(BaseModel):
    """Who saw the brand's test mail, and when."""

    brand: str
    sent_at: datetime
    seen_by: str
    seen_at: datetime


# --- arguments ------------------------------------------------------------------------------------------------------


class NothingMore(Arguments):
    """It needs to know nothing."""


class WhichDeliveries(Arguments):
    """Of which state, kind, cause, or source record; without any, the newest."""

    state: DeliveryState | None = None
    kind: Label | None = None
    cause: Label | None = None
    record: RecordName | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class WhichSuppressions(Arguments):
    """Of a source record, or of the address that a mail went to."""

    record: RecordName | None = None
    delivery_id: Id | None = None

    @model_validator(mode="after")
    def _named(self) -> "WhichSuppressions":
        if (self.record is None) == (self.delivery_id is None):
            raise ValueError("give record or delivery_id")
        return self


class NewSuppression(Arguments):
    """Whom, and which bulk mail; * is every purpose."""

    address: EmailStr | None = None
    record: RecordName | None = None
    purpose: Label = "*"

    @model_validator(mode="after")
    def _somebody(self) -> "NewSuppression":
        if self.address is None and self.record is None:
            raise ValueError("give address, record, or both")
        return self


class Lifted(Arguments):
    """Which, and where the proof is kept that the person asked for it (RGPD art. 7(1))."""

    suppression_id: int
    proof: Label


class OneDomain(Arguments):
    """Which domain."""

    domain: Domain


class Uncertain(Arguments):
    """What becomes of mails of which nobody knows whether they arrived: of a cause (* is every), or one alone."""

    cause: Label
    delivery_id: Id | None = None
    decision: Literal["leave", "send-again"]


class TestMail(Arguments):
    """Of which brand, and to whom: staff, who look at it."""

    brand: Key
    address: EmailStr


class SeenTestMail(Arguments):
    """The code that stands in the mail."""

    code: Annotated[str, Field(pattern=r"^[a-zA-Z2-7]{8}$")]


class InformationLetter(Arguments):
    """Of which brand; who is responsible for the data since when, and where its policy is (RGPD art. 14)."""

    brand: Key
    controller: Annotated[Name, Field(max_length=200, description="the legal body that holds the data now")]
    merged_on: Annotated[Day, Field(description="since when")]
    policy: Annotated[Link, Field(description="recipients of data, how long it is kept, and whom to ask")]


# --- the table ------------------------------------------------------------------------------------------------------


_mail: Final = partial(operation_of, "communications")

STATUS: Final = _mail(
    "mail-status", "query", "read-mailings", "mail", (NothingMore, MailStatus),
    ("What mail waits, what went out, what wants a decision.", "Le courrier en attente, parti, à décider."),
)  # fmt: skip
DELIVERIES: Final = _mail(
    "deliveries", "query", "read-persons", "deliveries", (WhichDeliveries, Deliveries),
    ("What was sent to whom, when, and what was answered.", "Ce qui a été envoyé, à qui, quand, et la réponse."),
)  # fmt: skip
SUPPRESSIONS: Final = _mail(
    "suppressions", "query", "read-persons", "suppressions", (WhichSuppressions, Suppressions),
    ("Why somebody gets no mail.", "Pourquoi quelqu'un ne reçoit pas de courriel."),
)  # fmt: skip
SUPPRESS: Final = _mail(
    "suppress", "command", "keep-consents", "suppressions", (NewSuppression, Changed),
    ("Write no more bulk mail to an address or a record.", "Ne plus écrire à une adresse ou à une fiche."),
    "traboule mail suppress",
)  # fmt: skip
LIFT: Final = _mail(
    "lift-suppression", "command", "lift-suppressions", "suppressions/{suppression_id}/lift", (Lifted, Changed),
    ("Write to somebody again, who asked for it: with a proof.", "Réécrire à quelqu'un qui l'a demandé, avec preuve."),
    "traboule mail lift",
)  # fmt: skip
RESUME: Final = _mail(
    "resume-domain", "command", "send-mailings", "mail/domains/{domain}/resume", (OneDomain, Changed),
    ("Send to a domain again whose servers refused us.", "Réécrire à un domaine dont les serveurs nous refusaient."),
    "traboule mail resume",
)  # fmt: skip
DECIDE: Final = _mail(
    "decide-uncertain", "command", "send-mailings", "mail/uncertain", (Uncertain, Changed),
    ("Leave mails of which nobody knows whether they arrived, or send them again.",
     "Laisser les courriels incertains, ou les renvoyer."),
    "traboule mail uncertain",
)  # fmt: skip
TEST: Final = _mail(
    "send-test-mail", "command", "send-mailings", "mail/test", (TestMail, Queued),
    ("Send a mail to yourself, by the same way as all others.", "S'envoyer un courriel, par la même voie."),
    "traboule mail test",
)  # fmt: skip

SEEN: Final = _mail(
    "confirm-test-mail", "command", "send-mailings", "mail/test/{code}/seen", (SeenTestMail, TestMailSeen),
    ("Say that a test mail arrived, by the code in it.", "Dire qu'un courriel d'essai est arrivé, par son code."),
    "traboule mail seen",
)  # fmt: skip
INFORM: Final = _mail(
    "send-information-letter", "command", "inform-members", "mail/information", (InformationLetter, LettersQueued),
    ("Tell everybody where their data came from, once for each address (RGPD art. 14).",
     "Informer chacun de l'origine de ses données, une fois par adresse (RGPD art. 14)."),
    "traboule mail inform",
)  # fmt: skip

ALL: Final = (STATUS, DELIVERIES, SUPPRESSIONS, SUPPRESS, LIFT, RESUME, DECIDE, TEST, SEEN, INFORM)
