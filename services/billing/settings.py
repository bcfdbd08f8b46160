"""This service's own knobs: ``TRABOULE_BILLING_…``."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from schemas.base import Key
from shared.runtime.settings import ServiceSettings


class BillingSettings(ServiceSettings):
    """Settings of the billing service."""

    model_config = SettingsConfigDict(env_prefix="TRABOULE_BILLING_")

    issuers_file: Path | None = Field(
        None, description="the legal bodies that bill (TOML); without it nothing is billed here"
    )
    conflict_owner: Key = Field("tresorerie", description="who has a conflict that was given to nobody yet")
