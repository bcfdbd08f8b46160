"""What the events service tells again after a restore."""

from schemas.events import EventChanged, EventRecorded, RegistrationChanged, RegistrationRecorded
from services.common.republish import mirrored, stages_of
from services.conflicts.republish import answers
from services.events.tables import events, registrations

REPUBLISHED = (
    mirrored(events, EventRecorded, EventChanged),
    mirrored(registrations, RegistrationRecorded, RegistrationChanged),
    answers(),
    stages_of("events"),
)
