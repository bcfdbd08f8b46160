"""What the events service does with each fact: save what is newer, announce what was saved and what it comes to."""

from collections.abc import Sequence

from schemas.envelope import Envelope
from schemas.events import EventChanged, EventRecorded, RegistrationChanged, RegistrationRecorded
from services.common.sections import stating
from services.events.mirror.repository import EventsUnitOfWork
from services.events.registrations.queries import PARTICIPATIONS
from shared.messaging.publishing import publish_mirrored


async def record_events(uow: EventsUnitOfWork, messages: Sequence[Envelope[EventRecorded]]) -> None:
    """Mirror the former system's gatherings."""
    async with stating(uow, PARTICIPATIONS, messages):
        publish_mirrored(uow, EventChanged, await uow.save_events(messages))


async def record_registrations(uow: EventsUnitOfWork, messages: Sequence[Envelope[RegistrationRecorded]]) -> None:
    """Mirror the former system's registrations."""
    async with stating(uow, PARTICIPATIONS, messages):
        publish_mirrored(uow, RegistrationChanged, await uow.save_registrations(messages))
