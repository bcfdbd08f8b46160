"""What the events service does with each fact: save what is newer, announce what was saved."""

from collections.abc import Sequence

from schemas.envelope import Envelope
from schemas.events import EventChanged, EventRecorded, RegistrationChanged, RegistrationRecorded
from services.events.repository import EventsUnitOfWork
from services.house import announce


async def record_events(uow: EventsUnitOfWork, messages: Sequence[Envelope[EventRecorded]]) -> None:
    """Mirror the former system's gatherings."""
    announce(uow, EventChanged, await uow.save_events(messages))


async def record_registrations(uow: EventsUnitOfWork, messages: Sequence[Envelope[RegistrationRecorded]]) -> None:
    """Mirror the former system's registrations."""
    announce(uow, RegistrationChanged, await uow.save_registrations(messages))
