"""The only place where the events service is built."""

from services.events.consumers import SUBSCRIPTIONS
from services.events.repository import EventsUnitOfWork
from services.events.settings import EventsSettings
from services.house import build
from shared.runtime.service import Service


def create_app(settings: EventsSettings) -> Service:
    """The service, ready to run; nothing is connected yet."""
    return build("events", settings, SUBSCRIPTIONS, EventsUnitOfWork)
