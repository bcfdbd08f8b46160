"""This service's own knobs: ``TRABOULE_MEMBERSHIP_…``."""

from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class MembershipSettings(ServiceSettings):
    """Settings of the membership service."""

    model_config = SettingsConfigDict(env_prefix="TRABOULE_MEMBERSHIP_")
