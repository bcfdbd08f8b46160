"""This service's own knobs: ``TRABOULE_BILLING_…``."""

from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class BillingSettings(ServiceSettings):
    """Settings of the billing service."""

    model_config = SettingsConfigDict(env_prefix="TRABOULE_BILLING_")
