"""What the events service mirrors of a former system, for comparing the two."""

from schemas.events import EventRecorded, RegistrationRecorded
from services.cutover.parity.mirror_reader import mirrored
from services.events.tables import events, registrations

KINDS = (mirrored("event", EventRecorded, events), mirrored("registration", RegistrationRecorded, registrations))
