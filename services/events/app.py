"""The only place where the events service is built."""

from collections.abc import Callable
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from services.events.consumers import SUBSCRIPTIONS
from services.events.repository import EventsUnitOfWork
from services.events.settings import EventsSettings
from services.house import build
from shared.process.service import Service


def create_app(settings: EventsSettings) -> Service:
    """The service, ready to run; nothing is connected yet."""
    return build("events", settings, SUBSCRIPTIONS, unit_of_work(settings))


def unit_of_work(settings: EventsSettings) -> Callable[[AsyncConnection], EventsUnitOfWork]:
    """What makes one transaction of the service; the ``traboule`` command decides conflicts in such a one too."""
    return partial(EventsUnitOfWork, conflict_owner=settings.conflict_owner)
