"""What the events service hears: the routing table."""

from schemas.events import EventRecorded, RegistrationRecorded
from services.events import handlers
from shared.messaging.subscription import Subscription

SUBSCRIPTIONS = (
    Subscription("events.event-recorded", EventRecorded, handlers.record_events),
    Subscription("events.registration-recorded", RegistrationRecorded, handlers.record_registrations),
)
