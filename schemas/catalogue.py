"""Every fact and command that may travel, in one list: what is not here cannot be published."""

from schemas import billing, commands, communications, events, membership
from schemas.fields import Command, Content, Fact

FACTS: tuple[type[Content], ...] = (
    membership.MemberRecorded,
    membership.MemberRemoved,
    membership.MembersMerged,
    membership.MembersSeparated,
    membership.MergeConflictChanged,
    membership.MembershipStageChanged,
    commands.CreateMember,
    commands.ChangeMember,
    commands.EndMembership,
    commands.ChangeContacts,
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

RECORDED: tuple[type[Fact], ...] = tuple(fact for fact in FACTS if issubclass(fact, Fact) and fact.published_as is None)
"""What former systems publish."""

COMMANDS: tuple[type[Command], ...] = tuple(one for one in FACTS if issubclass(one, Command))
"""What staff tools ask for."""


def by_type(name: str) -> type[Content] | None:
    """The fact or command with this CloudEvents type, if there is one."""
    return next((fact for fact in FACTS if fact.type_name() == name), None)
