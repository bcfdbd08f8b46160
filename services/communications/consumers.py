"""What communications hears: the routing table."""

from functools import partial

from schemas.communications import CommunicationsManifestRecorded, ConsentRecorded, MailingRecorded
from schemas.cutover import WriteAccessChanged
from schemas.membership import MembersMerged, MembersSeparated
from schemas.membership_contacts import ContactDescribed
from schemas.objections import ObjectionReceived
from services.common.member_records import apply_merges, apply_separations
from services.communications.contacts.repository import keep_contacts
from services.communications.cutover.confirmations import objects
from services.communications.mirror import handlers
from services.communications.mirror.parity import KINDS
from services.communications.usecases import objections
from services.communications.usecases.letters import LETTER_SUBSCRIPTIONS
from services.cutover.fence import Fenced
from services.cutover.manifests import PREFETCH, keep_manifests
from services.cutover.noop import matches_current
from services.cutover.writers import keep_write_access
from shared.messaging.subscription import Subscription

_unchanged = partial(matches_current, KINDS)

SUBSCRIPTIONS = (
    Subscription(
        "communications.consent-recorded", ConsentRecorded, Fenced(handlers.record_consents, _unchanged, objects)
    ),
    Subscription("communications.mailing-recorded", MailingRecorded, Fenced(handlers.record_mailings, _unchanged)),
    Subscription("communications.manifest-recorded", CommunicationsManifestRecorded, keep_manifests, prefetch=PREFETCH),
    Subscription("communications.write-access-changed", WriteAccessChanged, keep_write_access),
    Subscription("communications.objection-received", ObjectionReceived, objections.receive),
    Subscription("communications.contact-described", ContactDescribed, keep_contacts),
    *LETTER_SUBSCRIPTIONS,
    Subscription("communications.members-merged", MembersMerged, apply_merges),
    Subscription("communications.members-separated", MembersSeparated, apply_separations),
)
