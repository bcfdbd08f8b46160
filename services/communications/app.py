"""The only place where the communications service is built."""

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncConnection

from services.communications.consumers import SUBSCRIPTIONS
from services.communications.repository import CommunicationsUnitOfWork
from services.communications.settings import CommunicationsSettings
from services.house import build
from shared.process.service import Service


def create_app(settings: CommunicationsSettings) -> Service:
    """The service, ready to run; nothing is connected yet."""
    return build("communications", settings, SUBSCRIPTIONS, unit_of_work(settings))


def unit_of_work(_: CommunicationsSettings) -> Callable[[AsyncConnection], CommunicationsUnitOfWork]:
    """What makes one transaction of the service."""
    return CommunicationsUnitOfWork
