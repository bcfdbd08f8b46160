"""The only place where the billing service is built."""

from collections.abc import Callable
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from services.billing.consumers import SUBSCRIPTIONS
from services.billing.repository import BillingUnitOfWork
from services.billing.settings import BillingSettings
from services.house import build
from shared.process.service import Service


def create_app(settings: BillingSettings) -> Service:
    """The service, ready to run; nothing is connected yet."""
    return build("billing", settings, SUBSCRIPTIONS, unit_of_work(settings))


def unit_of_work(settings: BillingSettings) -> Callable[[AsyncConnection], BillingUnitOfWork]:
    """What makes one transaction of the service; the ``traboule`` command decides conflicts in such a one too."""
    return partial(BillingUnitOfWork, conflict_owner=settings.conflict_owner)
