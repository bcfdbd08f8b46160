"""This service's own knobs: ``TRABOULE_EVENTS_…``."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from schemas.base import Key
from shared.runtime.settings import ServiceSettings


class EventsSettings(ServiceSettings):
    """Settings of the events service."""

    model_config = SettingsConfigDict(env_prefix="TRABOULE_EVENTS_")

    conflict_owner: Key = Field("evenements", description="who has a conflict that was given to nobody yet")
    public_url: str = Field(
        "",
        pattern=r"^(https://[^\s/?#<>\"]+(/[^\s?#<>\"]*[^/\s?#<>\"])?)?$",
        max_length=400,
        description="where people reach the gateway, such as https://adhesion.example; empty: mails have no links",
    )
