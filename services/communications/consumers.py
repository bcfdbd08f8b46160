"""What communications hears: the routing table."""

from schemas.communications import CommunicationsManifestRecorded, ConsentRecorded, MailingRecorded
from schemas.cutover_requests import CutoverRequested
from schemas.membership import MembersMerged, MembersSeparated
from services.communications import handlers
from services.cutover.echoes import say_what_is_held
from services.cutover.fence import Fenced
from services.cutover.manifests import PREFETCH, keep_manifests
from services.cutover.requests import Answering
from services.following import follow_merges, follow_separations
from shared.messaging.subscription import Subscription

SUBSCRIPTIONS = (
    Subscription(
        "communications.consent-recorded", ConsentRecorded, Fenced(handlers.record_consents, say_what_is_held)
    ),
    Subscription(
        "communications.mailing-recorded", MailingRecorded, Fenced(handlers.record_mailings, say_what_is_held)
    ),
    Subscription("communications.manifest-recorded", CommunicationsManifestRecorded, keep_manifests, prefetch=PREFETCH),
    Subscription("communications.members-merged", MembersMerged, follow_merges),
    Subscription("communications.members-separated", MembersSeparated, follow_separations),
    Subscription("communications.cutover-requested", CutoverRequested, Answering("communications")),
)
