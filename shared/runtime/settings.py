"""Settings that every service has. Each reads its own from ``TRABOULE_<SERVICE>_…`` or from files of secrets.

What is the same for all of them is one variable: ``TRABOULE_CLUSTERS_FILE``.
"""

import os
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from shared.runtime.tls import CA_FILE, checked_ca, over_tls
from shared.runtime.variables import variable

SECRETS = Path("/run/secrets")
CLUSTERS_FILE = "TRABOULE_CLUSTERS_FILE"
"""One variable for all services, and for the ``traboule`` command."""


_SCHEMES = {
    "database_url": ("postgresql", "postgres", "postgresql+asyncpg"),
    "broker_url": ("amqp", "amqps"),
}


class _NamedFiles(PydanticBaseSettingsSource):
    """Values from the files that ``<variable>_FILE`` names, as container engines give secrets."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """What the file holds, None if none is named; the field's name; and that it is plain text."""
        alias = field.validation_alias
        name = alias if isinstance(alias, str) else f"{self.config.get('env_prefix')}{field_name}".upper()
        return (variable(name) if os.environ.get(f"{name}_FILE") else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        document = {
            name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in document.items() if value is not None}


class ServiceSettings(BaseSettings):
    """What a service process is given.

    A value comes from the environment (``TRABOULE_BILLING_DATABASE_URL``), from the file that a variable of that name
    and ``_FILE`` names (``TRABOULE_BILLING_DATABASE_URL_FILE``), or from a file of the variable's name, in lower case,
    under ``/run/secrets``. Reading them raises SecretFileError, or pydantic's ValidationError.
    """

    model_config = SettingsConfigDict(
        extra="ignore",
        populate_by_name=True,
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
        # A traceback must not show a password.
        hide_input_in_errors=True,
    )

    # Before the addresses, which are checked against it.
    tls_ca_file: Path | None = Field(
        None, validation_alias=CA_FILE, description="whom broker and database are checked with; see shared.runtime.tls"
    )
    database_url: str = Field(description="postgresql://user:password@host:port/database, the service's own")
    broker_url: str = Field(description="amqp://user:password@host:port/traboule, the service's own user")
    # Two services that know other clusters than each other would park each other's members.
    clusters_file: Path = Field(
        Path("deploy/clusters.toml"),
        validation_alias=CLUSTERS_FILE,
        description="the clusters and their lineages, the same for every service",
    )
    http_host: str = "127.0.0.1"
    http_port: Annotated[int, Field(ge=0, le=65535)] = 0
    http_certificate_file: Path | None = Field(None, description="PEM with its chain: the gateway speaks HTTPS then")
    http_key_file: Path | None = Field(None, description="its key, PEM without a passphrase; if not in the same file")
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias="TRABOULE_TRUSTED_PROXIES",
        description="reverse proxies that say whom they ask for, named singly (10.0.0.2 rather than 10.0.0.0/8)",
    )
    log_level: str = "INFO"
    prefetch: Annotated[int, Field(ge=1, description="messages in hand of each queue: each may have 4 MiB")] = 32
    batch_events: Annotated[int, Field(ge=1, description="events in one transaction, at most about")] = 1000
    linger_ms: Annotated[float, Field(ge=0, description="milliseconds to wait for company")] = 3.0
    parity_hour: Annotated[int, Field(ge=0, le=23)] = Field(
        4, validation_alias="TRABOULE_PARITY_HOUR", description="hour in Paris of the daily comparisons and rehearsals"
    )
    parity_days: Annotated[int, Field(ge=1)] = Field(
        90, validation_alias="TRABOULE_PARITY_DAYS", description="days that values of differences are kept"
    )
    inbox_days: Annotated[int, Field(ge=1, description="days that an event's id is remembered")] = 90

    @field_validator("tls_ca_file")
    @classmethod
    def _usable(cls, path: Path | None) -> Path | None:
        return None if path is None or path == Path() else checked_ca(path)

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, written: Any) -> Any:
        words = written.replace(",", " ").split() if isinstance(written, str) else written
        for word in words:
            try:
                ip_network(word)
            except ValueError:
                raise ValueError(f"{word!r} is no address or network, such as 10.0.0.0/8") from None
        return tuple(words)

    @field_validator("database_url", "broker_url")
    @classmethod
    def _address(cls, url: str, info: ValidationInfo) -> str:
        schemes = _SCHEMES[info.field_name or ""]
        try:
            parts = urlsplit(url)
            known = parts.scheme in schemes and (parts.port or True)
        except ValueError:
            known = False
        if not known:
            # Without its words: what stands where the port should may be a password.
            raise ValueError(f"no address such as {schemes[0]}://user:password@host:port/name")
        return over_tls(url, info.data.get("tls_ca_file"))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Where values come from, the first that has one: the caller, the environment, named files, secrets."""
        return init_settings, env_settings, _NamedFiles(settings_cls), file_secret_settings
