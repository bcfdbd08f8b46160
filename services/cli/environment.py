"""The settings of the services that the ``traboule`` command is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from services import SERVICES
from services.cli.registry import settings_type
from services.common.environment import NotConfigured, load_settings

if TYPE_CHECKING:
    from shared.runtime.settings import ServiceSettings


def settings_of(service: str) -> ServiceSettings:
    """A service's settings from the environment. Raises NotConfigured, SecretFileError."""
    return load_settings(service, settings_type(service))


def configured(service: str | None = None) -> dict[str, ServiceSettings]:
    """The named service's settings, or those of every service that this process knows; it says which ones it does not.

    Raises NotConfigured, also where a service's settings are there and wrong, and SecretFileError.
    """
    if service is not None:
        return {service: settings_of(service)}
    settings: dict[str, ServiceSettings] = {}
    left_out: list[str] = []
    for name in SERVICES:
        try:
            settings[name] = settings_of(name)
        except NotConfigured as error:
            if not error.absent:
                raise
            left_out.append(str(error))
    if not settings:
        raise NotConfigured(
            "no service is configured: run `make up` in another terminal, or set TRABOULE_<SERVICE>_DATABASE_URL "
            "and TRABOULE_<SERVICE>_BROKER_URL"
        )
    for text in left_out:
        typer.secho(f"! left out: {text}", fg="yellow", err=True)
    return settings
