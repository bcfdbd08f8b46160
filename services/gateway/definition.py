"""The only place where the membership service is put together: membership, with the gateway in front."""

from services.common.definition import ServiceDefinition
from services.gateway import consumers
from services.gateway.auth.writers import WRITE_ACCESS, count_writers
from services.membership.consumers import SUBSCRIPTIONS
from services.membership.cutover import write_back
from services.membership.cutover.parity import KINDS
from services.membership.cutover.rehearsals import REHEARSALS
from services.membership.cutover.republish import REPUBLISHED
from services.membership.descriptions.queries import CONTACTS, DESCRIPTIONS
from services.membership.settings import MembershipSettings
from services.membership.tables import metadata
from services.membership.unit_of_work import unit_of_work
from shared.process.http_process import HttpProcess
from shared.process.service import Service


def create_app(settings: MembershipSettings) -> Service:
    """The service, ready to run; nothing is connected yet. Raises ClustersFileError, RulesFileError."""
    # Here, because the HTTP side takes long to import and commands need none of it.
    from services.gateway.app import create_app as create

    return create(DEFINITION, settings)


def create_messages(settings: MembershipSettings) -> Service:
    """The service without its gateway."""
    from services.gateway.app import create_messages as create

    return create(DEFINITION, settings)


def create_gateway(settings: MembershipSettings) -> HttpProcess:
    """Its gateway alone."""
    from services.gateway.app import create_gateway as create

    return create(settings)


DEFINITION = ServiceDefinition(
    name="membership",
    settings=MembershipSettings,
    create_app=create_app,
    parts={"messages": create_messages, "http": create_gateway},
    unit_of_work=unit_of_work,
    routes=(*SUBSCRIPTIONS, *consumers.SUBSCRIPTIONS),
    metadata=metadata,
    mirrored=KINDS,
    rehearsals=REHEARSALS,
    republished=(*REPUBLISHED, WRITE_ACCESS),
    write_back=write_back,
    count_writers=count_writers,
    sections=(DESCRIPTIONS, CONTACTS),
)
