"""The only place where the communications service is put together."""

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.app import build
from services.common.definition import ServiceDefinition
from services.common.mirrored_records import MIRRORED
from services.communications.consents.queries import PREFERENCES
from services.communications.consumers import SUBSCRIPTIONS
from services.communications.mirror.parity import KINDS
from services.communications.mirror.rehearsals import REHEARSALS
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.communications.mirror.republish import REPUBLISHED
from services.communications.settings import CommunicationsSettings
from services.communications.tables import metadata
from shared.process.service import Service


def create_app(settings: CommunicationsSettings) -> Service:
    """The service, ready to run; nothing is connected yet."""
    return build(DEFINITION, settings)


def unit_of_work(_: CommunicationsSettings) -> Callable[[AsyncConnection], CommunicationsUnitOfWork]:
    """What makes one transaction of the service."""
    return CommunicationsUnitOfWork


DEFINITION = ServiceDefinition(
    name="communications",
    settings=CommunicationsSettings,
    create_app=create_app,
    unit_of_work=unit_of_work,
    routes=SUBSCRIPTIONS,
    metadata=metadata,
    mirrored=KINDS,
    rehearsals=REHEARSALS,
    republished=REPUBLISHED,
    operations=(MIRRORED,),
    section=PREFERENCES,
)
