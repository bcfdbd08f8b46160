"""The only place where the communications service is put together."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.common.app import build
from services.common.definition import ServiceDefinition
from services.common.mirrored_records import MIRRORED
from services.communications.bounces.intake import serve
from services.communications.bounces.returned import Returned
from services.communications.consents.history import SUPPRESS_EVERY, suppress_unsuppressed
from services.communications.consents.queries import PREFERENCES
from services.communications.consumers import SUBSCRIPTIONS
from services.communications.contacts.address_keys import (
    ALL_AGAIN_EVERY,
    KEYS_EVERY,
    compare_address_keys,
    complete_address_keys,
)
from services.communications.cutover import gate, write_back
from services.communications.cutover.write_back import WRITE_EVERY, write_untold
from services.communications.deliveries.metrics import measure_deliveries
from services.communications.deliveries.objections import MATCH_EVERY, match_objections
from services.communications.deliveries.post_office import PostOffice
from services.communications.deliveries.retention import FORGET_EVERY, Retention
from services.communications.deliveries.sender import SEND_EVERY, STOP_SECONDS, send_due
from services.communications.mirror.parity import KINDS
from services.communications.mirror.rehearsals import REHEARSALS
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.communications.mirror.republish import REPUBLISHED
from services.communications.operations import OPERATIONS
from services.communications.settings import CommunicationsSettings
from services.communications.suppressions.address import AddressKeysError, Keyring
from services.communications.tables import metadata
from services.communications.usecases.bounces import take_in
from shared.process.service import PeriodicTask, Service
from shared.runtime.clusters import load_clusters

NAME: Final = "communications"

BOUNCES_AGAIN = 5.0
"""Seconds after which the server for bounces is started again, if its port was taken."""


def create_app(settings: CommunicationsSettings) -> Service:
    """The service, ready to run; nothing is connected yet.

    Raises AddressKeysError, MailFileError, DkimKeyError, ClustersFileError.
    """
    keyring, mail = settings.keyring(), settings.mail()
    if keyring is None:
        raise AddressKeysError("TRABOULE_COMMUNICATIONS_ADDRESS_KEYS is not set: see deploy/README.md, Mail")
    service = build(DEFINITION, settings)
    service.measures = (*service.measures, measure_deliveries)
    suppressing = PeriodicTask("objections", SUPPRESS_EVERY, partial(suppress_unsuppressed, keyring))
    writing = PeriodicTask("objections written", WRITE_EVERY, partial(write_untold, unit_of_work(settings)))
    hashing = PeriodicTask("address keys", KEYS_EVERY, partial(complete_address_keys, keyring))
    comparing = PeriodicTask("address keys again", ALL_AGAIN_EVERY, partial(compare_address_keys, keyring))
    matching = PeriodicTask("objections matched", MATCH_EVERY, partial(match_objections, keyring))
    retention = Retention(timedelta(days=settings.log_days), timedelta(days=settings.text_days))
    forgetting = PeriodicTask("retention", FORGET_EVERY, retention.forget)
    service.periodic_tasks = (*service.periodic_tasks, suppressing, writing, hashing, comparing, matching, forgetting)
    if mail is not None:
        send = partial(send_due, PostOffice.open(mail, keyring), mail.relay.password())
        service.periodic_tasks = (*service.periodic_tasks, PeriodicTask("deliveries", SEND_EVERY, send, STOP_SECONDS))
    if settings.lmtp_port:
        take = partial(take_bounces, settings.lmtp_host, settings.lmtp_port, keyring)
        service.periodic_tasks = (*service.periodic_tasks, PeriodicTask("bounces", BOUNCES_AGAIN, take))
    return service


async def take_bounces(host: str, port: int, keyring: Keyring, engine: AsyncEngine) -> None:
    """Serve LMTP until the service stops."""

    async def keep(item: Returned) -> None:
        async with engine.begin() as connection:
            await take_in(connection, keyring, [item])

    await serve(host, port, keep)


def unit_of_work(settings: CommunicationsSettings) -> Callable[[AsyncConnection], CommunicationsUnitOfWork]:
    """What makes one transaction of the service. Raises AddressKeysError, MailFileError, ClustersFileError."""
    clusters = load_clusters(settings.clusters_file)
    products = {code: each.products[NAME] for code, each in clusters.items() if NAME in each.products}
    return partial(
        CommunicationsUnitOfWork,
        keyring=settings.keyring(),
        products=products,
        mail=settings.mail(),
        cluster_names={code: each.name for code, each in clusters.items()},
    )


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
    operations=(MIRRORED, *OPERATIONS),
    sections=(PREFERENCES,),
    write_back=write_back,
    looked_up_conditions=gate.looked_up,
    switch_conditions=gate.for_switch,
    rollback_conditions=gate.for_rollback,
)
