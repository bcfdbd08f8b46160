"""What communications hears: the routing table."""

from schemas.communications import ConsentRecorded, MailingRecorded
from schemas.membership import MembersMerged, MembersSeparated
from services.communications import handlers
from services.following import follow_merges, follow_separations
from shared.cutover.fence import Fenced
from shared.messaging.subscription import Subscription

SUBSCRIPTIONS = (
    Subscription("communications.consent-recorded", ConsentRecorded, Fenced(handlers.record_consents)),
    Subscription("communications.mailing-recorded", MailingRecorded, Fenced(handlers.record_mailings)),
    Subscription("communications.members-merged", MembersMerged, follow_merges),
    Subscription("communications.members-separated", MembersSeparated, follow_separations),
)
