"""Every fact that may travel, in one list: what is not here cannot be published."""

from schemas import billing, communications, events, membership
from schemas.fields import Announced, Fact

FACTS: tuple[type[Fact], ...] = (
    membership.MemberRecorded,
    membership.MemberRemoved,
    membership.MembersMerged,
    membership.MembersSeparated,
    membership.MergeConflictChanged,
    membership.MembershipStageChanged,
    billing.InvoiceRecorded,
    billing.PaymentRecorded,
    billing.InvoiceChanged,
    billing.PaymentChanged,
    billing.BillingConflictAnswered,
    billing.BillingStageChanged,
    events.EventRecorded,
    events.RegistrationRecorded,
    events.EventChanged,
    events.RegistrationChanged,
    events.EventsConflictAnswered,
    events.EventsStageChanged,
    communications.ConsentRecorded,
    communications.MailingRecorded,
    communications.ConsentChanged,
    communications.MailingChanged,
    communications.CommunicationsStageChanged,
)

RECORDED: tuple[type[Fact], ...] = tuple(fact for fact in FACTS if not issubclass(fact, Announced))
"""What former systems publish."""


def by_type(name: str) -> type[Fact] | None:
    """The fact with this CloudEvents type, if there is one."""
    return next((fact for fact in FACTS if fact.type_name() == name), None)
