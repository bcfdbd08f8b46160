"""What communications hears: the routing table."""

from schemas.communications import ConsentRecorded, MailingRecorded
from services.communications import handlers
from shared.messaging.subscription import Subscription

SUBSCRIPTIONS = (
    Subscription("communications.consent-recorded", ConsentRecorded, handlers.record_consents),
    Subscription("communications.mailing-recorded", MailingRecorded, handlers.record_mailings),
)
