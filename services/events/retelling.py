"""What the events service tells again after a restore."""

from schemas.events import EventChanged, EventRecorded, RegistrationChanged, RegistrationRecorded
from services.conflicts.retelling import answers
from services.events.tables import events, registrations
from services.retelling import mirrored, stages_of

TELLINGS = (
    mirrored(events, EventRecorded, EventChanged),
    mirrored(registrations, RegistrationRecorded, RegistrationChanged),
    answers(),
    stages_of("events"),
)
