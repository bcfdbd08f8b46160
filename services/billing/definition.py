"""The only place where the billing service is put together."""

from collections.abc import Callable
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from services.billing.accounts.queries import ACCOUNTS
from services.billing.consumers import SUBSCRIPTIONS
from services.billing.cutover import gate, write_back
from services.billing.documents.files import RENDER_EVERY, render_the_rest
from services.billing.issuers.file import load_issuers
from services.billing.mirror.parity import KINDS
from services.billing.mirror.rehearsals import REHEARSALS
from services.billing.mirror.repository import BillingUnitOfWork
from services.billing.mirror.republish import REPUBLISHED
from services.billing.operations import OPERATIONS
from services.billing.settings import BillingSettings
from services.billing.tables import metadata
from services.common.app import build
from services.common.definition import ServiceDefinition
from services.common.mirrored_records import MIRRORED
from shared.process.service import PeriodicTask, Service
from shared.runtime.clusters import load_clusters


def create_app(settings: BillingSettings) -> Service:
    """The service, ready to run; nothing is connected yet."""
    service = build(DEFINITION, settings)
    service.periodic_tasks = (*service.periodic_tasks, PeriodicTask("document files", RENDER_EVERY, render_the_rest))
    return service


def unit_of_work(settings: BillingSettings) -> Callable[[AsyncConnection], BillingUnitOfWork]:
    """What makes one transaction of the service; the ``traboule`` command decides conflicts in such a one too.

    Raises ClustersFileError, IssuersFileError.
    """
    file, clusters = settings.issuers_file, load_clusters(settings.clusters_file)
    return partial(
        BillingUnitOfWork,
        conflict_owner=settings.conflict_owner,
        issuers={} if file is None else load_issuers(file, clusters),
        products={code: each.products["billing"] for code, each in clusters.items() if "billing" in each.products},
    )


DEFINITION = ServiceDefinition(
    name="billing",
    settings=BillingSettings,
    create_app=create_app,
    unit_of_work=unit_of_work,
    routes=SUBSCRIPTIONS,
    metadata=metadata,
    mirrored=KINDS,
    rehearsals=REHEARSALS,
    republished=REPUBLISHED,
    operations=(MIRRORED, *OPERATIONS),
    sections=(ACCOUNTS,),
    write_back=write_back,
    switch_conditions=gate.for_switch,
    rollback_conditions=gate.for_rollback,
)
