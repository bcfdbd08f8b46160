"""Every fact that may travel, in one list: what is not here cannot be published."""

from schemas import billing, communications, events, membership
from schemas.fields import Announced, Fact

FACTS: tuple[type[Fact], ...] = (
    membership.MemberRecorded,
    membership.MemberRemoved,
    membership.MembersMerged,
    membership.MembersSeparated,
    membership.MergeConflictChanged,
    billing.InvoiceRecorded,
    billing.PaymentRecorded,
    billing.InvoiceChanged,
    billing.PaymentChanged,
    billing.BillingConflictAnswered,
    events.EventRecorded,
    events.RegistrationRecorded,
    events.EventChanged,
    events.RegistrationChanged,
    events.EventsConflictAnswered,
    communications.ConsentRecorded,
    communications.MailingRecorded,
    communications.ConsentChanged,
    communications.MailingChanged,
)

RECORDED: tuple[type[Fact], ...] = tuple(fact for fact in FACTS if not issubclass(fact, Announced))
"""What former systems publish."""


def by_type(name: str) -> type[Fact] | None:
    """The fact with this CloudEvents type, if there is one."""
    return next((fact for fact in FACTS if fact.type_name() == name), None)
