"""Where the ``traboule`` command finds the services' databases and broker users."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.runtime.settings import ServiceSettings

    S = TypeVar("S", bound=ServiceSettings)

ENV_FILE = Path(__file__).resolve().parents[2] / ".local" / "services.env"
"""Written by ``make up`` for other terminals; holds ``NAME=value`` lines."""


class NotConfigured(LookupError):
    """A service's settings are missing or wrong; the message names them. ``absent``: nothing is wrong but missing."""

    def __init__(self, text: str, *, absent: bool = False) -> None:
        super().__init__(text)
        self.absent = absent


def load_env_file(path: Path | None = None) -> None:
    """Take a running house's environment, unless this process was already told of one."""
    path = path or ENV_FILE
    names = {name.removesuffix("_FILE") for name in os.environ if name.startswith("TRABOULE_")}
    configured = any(
        name.endswith(("_DATABASE_URL", "_BROKER_URL")) or name.startswith("TRABOULE_BROKER_URL_")
        for name in names - {"TRABOULE_DATABASE_URL", "TRABOULE_BROKER_URL"}
    )
    if configured or not path.is_file():
        return
    for line in path.read_text("utf-8").splitlines():
        name, _, value = line.partition("=")
        os.environ.setdefault(name, "".join(shlex.split(value)))


def load_settings(service: str, settings_type: type[S]) -> S:
    """A service's settings from the environment. Raises NotConfigured, SecretFileError."""
    from pydantic import ValidationError  # here, so that `traboule --help` answers at once

    # Its fields are filled in from the environment, which a type checker does not know.
    read = cast("Callable[[], S]", settings_type)
    try:
        return read()
    except ValidationError as error:
        prefix = settings_type.model_config.get("env_prefix", "")
        errors = [(str(fault["loc"][0]), fault["msg"].removeprefix("Value error, ")) for fault in error.errors()]
        faults = [f"{_variable(field, prefix)}: {what}" for field, what in errors]
        absent = all(fault["type"] == "missing" for fault in error.errors())
        raise NotConfigured(f"the {service} service is not configured: {'; '.join(faults)}", absent=absent) from None


def _variable(field: str, prefix: str) -> str:
    return field if field.startswith("TRABOULE_") else f"{prefix}{field.upper()}"
