"""Every fact and command that may travel, in one list: what is not here cannot be published."""

from schemas import (
    billing,
    charges,
    commands,
    communications,
    communications_write_back,
    cutover_requests,
    event_requests,
    events,
    letters,
    membership,
    membership_contacts,
    membership_write_back,
    objections,
    waiting,
)
from schemas.base import Command, Content, Fact
from schemas.cutover import ManifestRecorded, WriteAccessChanged

FACTS: tuple[type[Content], ...] = (
    membership.MemberRecorded,
    membership.MemberRemoved,
    membership.MembersMerged,
    membership.MembersSeparated,
    membership.MergeConflictChanged,
    membership.MemberDescribed,
    membership_contacts.ContactDescribed,
    membership.MembershipManifestRecorded,
    objections.ObjectionReceived,
    event_requests.RegistrationRequested,
    event_requests.RegistrationAnswered,
    event_requests.AttendanceNoted,
    membership.MembershipStageChanged,
    WriteAccessChanged,
    waiting.MembershipWaitingChanged,
    waiting.BillingWaitingChanged,
    waiting.EventsWaitingChanged,
    waiting.CommunicationsWaitingChanged,
    cutover_requests.CutoverRequested,
    membership.MembershipCutoverAnswered,
    membership_write_back.MemberWritten,
    commands.CreateMember,
    commands.ChangeMember,
    commands.EndMembership,
    commands.ChangeContacts,
    billing.InvoiceRecorded,
    billing.PaymentRecorded,
    billing.InvoiceChanged,
    billing.PaymentChanged,
    billing.AccountChanged,
    billing.DocumentWritten,
    charges.RegistrationBilled,
    letters.DocumentIssued,
    letters.PaymentReminded,
    letters.DirectDebitAnnounced,
    billing.BillingConflictAnswered,
    billing.BillingManifestRecorded,
    billing.BillingStageChanged,
    billing.BillingCutoverAnswered,
    events.EventRecorded,
    events.RegistrationRecorded,
    events.EventChanged,
    events.RegistrationChanged,
    events.ParticipationChanged,
    events.RegistrationWritten,
    charges.RegistrationPriced,
    letters.RegistrationConfirmed,
    letters.RegistrationWaiting,
    letters.SeatOffered,
    letters.RegistrationCancelled,
    events.EventsConflictAnswered,
    events.EventsManifestRecorded,
    events.EventsStageChanged,
    events.EventsCutoverAnswered,
    communications.ConsentRecorded,
    communications.MailingRecorded,
    communications.ConsentChanged,
    communications.MailingChanged,
    communications.PreferencesChanged,
    communications_write_back.ObjectionWritten,
    communications.CommunicationsManifestRecorded,
    communications.CommunicationsStageChanged,
    communications.CommunicationsCutoverAnswered,
)

RECORDED: tuple[type[Fact], ...] = tuple(
    fact
    for fact in FACTS
    if issubclass(fact, Fact) and fact.published_as is None and not issubclass(fact, ManifestRecorded)
)
"""What former systems publish of one record each."""

COMMANDS: tuple[type[Command], ...] = tuple(item for item in FACTS if issubclass(item, Command))
"""What staff tools ask for."""


def by_type(name: str) -> type[Content] | None:
    """The fact or command with this CloudEvents type, if there is one."""
    return next((fact for fact in FACTS if fact.type_name() == name), None)
