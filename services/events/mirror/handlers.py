"""What the events service does with each fact: save what is newer, announce what was saved."""

from collections.abc import Sequence

from schemas.envelope import Envelope
from schemas.events import EventChanged, EventRecorded, RegistrationChanged, RegistrationRecorded
from services.events.mirror.repository import EventsUnitOfWork
from shared.messaging.publishing import publish_mirrored


async def record_events(uow: EventsUnitOfWork, messages: Sequence[Envelope[EventRecorded]]) -> None:
    """Mirror the former system's gatherings."""
    publish_mirrored(uow, EventChanged, await uow.save_events(messages))


async def record_registrations(uow: EventsUnitOfWork, messages: Sequence[Envelope[RegistrationRecorded]]) -> None:
    """Mirror the former system's registrations."""
    publish_mirrored(uow, RegistrationChanged, await uow.save_registrations(messages))
