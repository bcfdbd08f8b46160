"""The only place where the membership service is built."""

from collections.abc import Callable
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.house import build
from services.membership import cutover_requests, idempotency, retiring
from services.membership.api.app import create_http
from services.membership.consumers import SUBSCRIPTIONS
from services.membership.domain.matching.weights import shipped
from services.membership.domain.policy import Policy
from services.membership.domain.rules import load_rules
from services.membership.legacy import check_software
from services.membership.repository import MembershipUnitOfWork
from services.membership.settings import MembershipSettings
from shared.process.service import Beside, Service
from shared.runtime.clusters import load_clusters

FORGET_EVERY = 3600.0
"""Seconds."""


def create_app(settings: MembershipSettings) -> Service:
    """The service, ready to run; nothing is connected yet. Raises ClustersFileError, RulesFileError."""
    service = build(
        "membership",
        settings,
        SUBSCRIPTIONS,
        unit_of_work(settings),
        partial(create_http, settings, policy_of(settings)),
    )
    service.beside = (
        *service.beside,
        Beside("forgetting", FORGET_EVERY, forget),
        Beside("retiring", retiring.EVERY, retiring.Retiring(settings.broker_url).finish),
    )
    return service


async def forget(engine: AsyncEngine) -> None:
    """What was asked and answered at the door and need not be known any longer."""
    async with engine.begin() as connection:
        await cutover_requests.forget(connection)
        await idempotency.forget(connection)


def unit_of_work(settings: MembershipSettings) -> Callable[[AsyncConnection], MembershipUnitOfWork]:
    """What makes one transaction of the service. Raises ClustersFileError, RulesFileError."""
    return partial(MembershipUnitOfWork, policy=policy_of(settings))


def policy_of(settings: MembershipSettings) -> Policy:
    """What the operators configured. Raises ClustersFileError, RulesFileError."""
    clusters = load_clusters(settings.clusters_file)
    check_software(clusters, "membership")
    rules = load_rules(settings.survivorship_file, clusters)
    return Policy(clusters, shipped(), rules, settings.paid_twice_since)
