"""The only place where the communications service is built."""

from services.communications.consumers import SUBSCRIPTIONS
from services.communications.repository import CommunicationsUnitOfWork
from services.communications.settings import CommunicationsSettings
from services.house import build
from shared.runtime.service import Service


def create_app(settings: CommunicationsSettings) -> Service:
    """The service, ready to run; nothing is connected yet."""
    return build("communications", settings, SUBSCRIPTIONS, CommunicationsUnitOfWork)
