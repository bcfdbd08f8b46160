"""The only place where the events service is put together."""

from collections.abc import Callable
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.app import build
from services.common.definition import ServiceDefinition
from services.common.mirrored_records import MIRRORED
from services.events.consumers import SUBSCRIPTIONS
from services.events.mirror.parity import KINDS
from services.events.mirror.rehearsals import REHEARSALS
from services.events.mirror.repository import EventsUnitOfWork
from services.events.mirror.republish import REPUBLISHED
from services.events.registrations.queries import PARTICIPATIONS
from services.events.settings import EventsSettings
from services.events.tables import metadata
from shared.process.service import Service


def create_app(settings: EventsSettings) -> Service:
    """The service, ready to run; nothing is connected yet."""
    return build(DEFINITION, settings)


def unit_of_work(settings: EventsSettings) -> Callable[[AsyncConnection], EventsUnitOfWork]:
    """What makes one transaction of the service; the ``traboule`` command decides conflicts in such a one too."""
    return partial(EventsUnitOfWork, conflict_owner=settings.conflict_owner)


DEFINITION = ServiceDefinition(
    name="events",
    settings=EventsSettings,
    create_app=create_app,
    unit_of_work=unit_of_work,
    routes=SUBSCRIPTIONS,
    metadata=metadata,
    mirrored=KINDS,
    rehearsals=REHEARSALS,
    republished=REPUBLISHED,
    operations=(MIRRORED,),
    sections=(PARTICIPATIONS,),
)
