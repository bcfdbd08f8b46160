"""This service's own knobs: ``TRABOULE_COMMUNICATIONS_…``."""

from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class CommunicationsSettings(ServiceSettings):
    """Settings of the communications service."""

    model_config = SettingsConfigDict(env_prefix="TRABOULE_COMMUNICATIONS_")
