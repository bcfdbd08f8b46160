"""The only place where the events service is put together."""

from collections.abc import Callable
from functools import partial
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.app import build
from services.common.definition import ServiceDefinition
from services.common.mirrored_records import MIRRORED
from services.events.consumers import SUBSCRIPTIONS
from services.events.cutover import gate, write_back
from services.events.cutover.write_back import WRITE_EVERY, write_untold
from services.events.mirror.parity import KINDS
from services.events.mirror.rehearsals import REHEARSALS
from services.events.mirror.repository import EventsUnitOfWork
from services.events.mirror.republish import REPUBLISHED
from services.events.operations import OPERATIONS
from services.events.registrations.queries import PARTICIPATIONS
from services.events.settings import EventsSettings
from services.events.tables import metadata
from services.events.usecases.tasks import SETTLE_EVERY, TAKE_OVER_EVERY, follow_stages, settle_offers
from shared.process.service import PeriodicTask, Service
from shared.runtime.clusters import load_clusters

NAME: Final = "events"


def create_app(settings: EventsSettings) -> Service:
    """The service, ready to run; nothing is connected yet."""
    service = build(DEFINITION, settings)
    begin = unit_of_work(settings)
    service.periodic_tasks = (
        *service.periodic_tasks,
        PeriodicTask("offers", SETTLE_EVERY, partial(settle_offers, begin)),
        PeriodicTask("stages followed", TAKE_OVER_EVERY, partial(follow_stages, begin)),
        PeriodicTask("registrations written", WRITE_EVERY, partial(write_untold, begin)),
    )
    return service


def unit_of_work(settings: EventsSettings) -> Callable[[AsyncConnection], EventsUnitOfWork]:
    """What makes one transaction of the service; the ``traboule`` command decides conflicts in such a one too.

    Raises ClustersFileError.
    """
    clusters = load_clusters(settings.clusters_file)
    products = {code: each.products[NAME] for code, each in clusters.items() if NAME in each.products}
    return partial(
        EventsUnitOfWork,
        conflict_owner=settings.conflict_owner,
        products=products,
        public_url=settings.public_url,
        cluster_names={code: each.name for code, each in clusters.items()},
    )


DEFINITION = ServiceDefinition(
    name=NAME,
    settings=EventsSettings,
    create_app=create_app,
    unit_of_work=unit_of_work,
    routes=SUBSCRIPTIONS,
    metadata=metadata,
    mirrored=KINDS,
    rehearsals=REHEARSALS,
    republished=REPUBLISHED,
    operations=(MIRRORED, *OPERATIONS),
    sections=(PARTICIPATIONS,),
    write_back=write_back,
    switch_conditions=gate.for_switch,
    rollback_conditions=gate.for_rollback,
)
