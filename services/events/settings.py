"""This service's own knobs: ``TRABOULE_EVENTS_…``."""

from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class EventsSettings(ServiceSettings):
    """Settings of the events service."""

    model_config = SettingsConfigDict(env_prefix="TRABOULE_EVENTS_")
