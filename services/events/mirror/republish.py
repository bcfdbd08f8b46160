"""What the events service tells again after a restore."""

from schemas.events import EventChanged, EventRecorded, RegistrationChanged, RegistrationRecorded
from services.common.republish import mirrored, stages_of
from services.common.sections import statements
from services.common.waiting import waiting_of
from services.conflicts.republish import answers
from services.events.cutover.write_back import REGISTRATIONS_AGAIN
from services.events.gatherings.republish import BOOKINGS_AGAIN, GATHERINGS_AGAIN
from services.events.registrations.queries import PARTICIPATIONS
from services.events.tables import events, registrations

REPUBLISHED = (
    mirrored(events, EventRecorded, EventChanged),
    mirrored(registrations, RegistrationRecorded, RegistrationChanged),
    GATHERINGS_AGAIN,
    BOOKINGS_AGAIN,
    statements(PARTICIPATIONS),
    answers(),
    REGISTRATIONS_AGAIN,
    stages_of("events"),
    waiting_of("events"),
)
