"""What membership hears: the routing table."""

from functools import partial

from schemas.billing import (
    AccountChanged,
    BillingConflictAnswered,
    InvoiceChanged,
    PaymentChanged,
)
from schemas.commands import ChangeContacts, ChangeMember, CreateMember, EndMembership
from schemas.communications import (
    ConsentChanged,
    MailingChanged,
    PreferencesChanged,
)
from schemas.events import (
    EventChanged,
    EventsConflictAnswered,
    ParticipationChanged,
    RegistrationChanged,
)
from schemas.membership import (
    MemberRecorded,
    MemberRemoved,
    MembershipManifestRecorded,
)
from services.cutover.fence import Fenced
from services.cutover.manifests import PREFETCH, keep_manifests
from services.cutover.noop import matches_current
from services.membership.command_handlers import RecordCommandHandler, change, change_contacts, create, end
from services.membership.cutover.parity import KINDS
from services.membership.usecases import keep_records, keep_related
from services.membership.usecases.keep_conflict_answers import keep_answers
from services.membership.usecases.take_in import TakenInFirst
from shared.messaging.subscription import Subscription

_unchanged = partial(matches_current, KINDS)

SUBSCRIPTIONS = (
    Subscription("membership.member-recorded", MemberRecorded, TakenInFirst(keep_records.record_members, _unchanged)),
    Subscription("membership.member-removed", MemberRemoved, Fenced(keep_records.record_members, _unchanged)),
    Subscription("membership.manifest-recorded", MembershipManifestRecorded, keep_manifests, prefetch=PREFETCH),
    Subscription("membership.create-member", CreateMember, RecordCommandHandler(create)),
    Subscription("membership.change-member", ChangeMember, RecordCommandHandler(change)),
    Subscription("membership.end-membership", EndMembership, RecordCommandHandler(end)),
    Subscription("membership.change-contacts", ChangeContacts, RecordCommandHandler(change_contacts)),
    Subscription("membership.account-changed", AccountChanged, keep_related.keep("account", "record_id")),
    Subscription(
        "membership.participation-changed", ParticipationChanged, keep_related.keep("participation", "record_id")
    ),
    Subscription("membership.preferences-changed", PreferencesChanged, keep_related.keep("preferences", "record_id")),
    Subscription("membership.mailing-changed", MailingChanged, keep_related.keep_mailings),
    # Until a record's section is announced it is made of these: see views/unannounced.py.
    Subscription("membership.invoice-changed", InvoiceChanged, keep_related.keep("invoice", "invoice_id")),
    Subscription("membership.payment-changed", PaymentChanged, keep_related.keep("payment", "payment_id")),
    Subscription("membership.event-changed", EventChanged, keep_related.keep("event", "event_id")),
    Subscription(
        "membership.registration-changed", RegistrationChanged, keep_related.keep("registration", "registration_id")
    ),
    Subscription("membership.consent-changed", ConsentChanged, keep_related.keep("consent", "consent_id")),
    Subscription("membership.billing-conflict-answered", BillingConflictAnswered, keep_answers),
    Subscription("membership.events-conflict-answered", EventsConflictAnswered, keep_answers),
)
