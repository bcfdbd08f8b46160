"""The only place where the billing service is built."""

from services.billing.consumers import SUBSCRIPTIONS
from services.billing.repository import BillingUnitOfWork
from services.billing.settings import BillingSettings
from services.house import build
from shared.runtime.service import Service


def create_app(settings: BillingSettings) -> Service:
    """The service, ready to run; nothing is connected yet."""
    return build("billing", settings, SUBSCRIPTIONS, BillingUnitOfWork)
