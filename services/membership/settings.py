"""This service's own knobs: ``TRABOULE_MEMBERSHIP_…``."""

from datetime import date
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class MembershipSettings(ServiceSettings):
    """Settings of the membership service."""

    model_config = SettingsConfigDict(env_prefix="TRABOULE_MEMBERSHIP_")

    survivorship_file: Path = Field(
        Path("deploy/survivorship.toml"), description="which of several values a member is shown with"
    )
    answer_seconds: float = Field(
        5.0, ge=0, le=60, description="seconds for which the HTTP gateway waits for another service's answer"
    )
    paid_twice_since: date | None = Field(
        None, description="first day for which dues paid in two clusters are a conflict; all days if left out"
    )
