"""Where the ``traboule`` command finds the services' databases and broker users."""

from __future__ import annotations

import os
import shlex
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from services import SERVICES

if TYPE_CHECKING:
    from shared.runtime.settings import ServiceSettings

HOUSE_FILE = Path(__file__).resolve().parents[2] / ".local" / "house.env"
"""Written by ``make up`` for other terminals; holds ``NAME=value`` lines."""


class NotConfigured(LookupError):
    """A service's settings are missing or wrong; the message names them. ``absent``: nothing is wrong but missing."""

    def __init__(self, told: str, *, absent: bool = False) -> None:
        super().__init__(told)
        self.absent = absent


def load_house_file(path: Path | None = None) -> None:
    """Take a running house's environment, unless this process was already told of one."""
    path = path or HOUSE_FILE
    names = {name.removesuffix("_FILE") for name in os.environ if name.startswith("TRABOULE_")}
    told = any(
        name.endswith(("_DATABASE_URL", "_BROKER_URL")) or name.startswith("TRABOULE_BROKER_URL_")
        for name in names - {"TRABOULE_DATABASE_URL", "TRABOULE_BROKER_URL"}
    )
    if told or not path.is_file():
        return
    for line in path.read_text("utf-8").splitlines():
        name, _, value = line.partition("=")
        os.environ.setdefault(name, "".join(shlex.split(value)))


def settings_of(service: str) -> ServiceSettings:
    """A service's settings from the environment. Raises NotConfigured, SecretFileError."""
    from pydantic import ValidationError  # here, so that `traboule --help` answers at once

    settings_type = getattr(import_module(f"services.{service}.settings"), f"{service.capitalize()}Settings")
    try:
        return settings_type()
    except ValidationError as error:
        prefix = settings_type.model_config["env_prefix"]
        told = [(str(fault["loc"][0]), fault["msg"].removeprefix("Value error, ")) for fault in error.errors()]
        faults = [f"{_variable(field, prefix)}: {what}" for field, what in told]
        absent = all(fault["type"] == "missing" for fault in error.errors())
        raise NotConfigured(f"the {service} service is not configured: {'; '.join(faults)}", absent=absent) from None


def _variable(field: str, prefix: str) -> str:
    return field if field.startswith("TRABOULE_") else f"{prefix}{field.upper()}"


def configured(service: str | None = None) -> dict[str, ServiceSettings]:
    """The named service's settings, or those of every service that this process knows; it says which ones it does not.

    Raises NotConfigured, also where a service's settings are there and wrong, and SecretFileError.
    """
    if service is not None:
        return {service: settings_of(service)}
    found: dict[str, ServiceSettings] = {}
    left_out: list[str] = []
    for name in SERVICES:
        try:
            found[name] = settings_of(name)
        except NotConfigured as error:
            if not error.absent:
                raise
            left_out.append(str(error))
    if not found:
        raise NotConfigured(
            "no service is configured: run `make up` in another terminal, or set TRABOULE_<SERVICE>_DATABASE_URL "
            "and TRABOULE_<SERVICE>_BROKER_URL"
        )
    for one in left_out:
        typer.secho(f"! left out: {one}", fg="yellow", err=True)
    return found
