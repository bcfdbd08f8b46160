"""Settings that every service has. Each reads its own from ``TRABOULE_<SERVICE>_…`` or from files of secrets.

What is the same for all of them is one variable: ``TRABOULE_CLUSTERS_FILE``.
"""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

SECRETS = Path("/run/secrets")
CLUSTERS_FILE = "TRABOULE_CLUSTERS_FILE"
"""One variable for all services, and for the ``traboule`` command."""


class ServiceSettings(BaseSettings):
    """What a service process is given.

    A value comes from the environment (``TRABOULE_BILLING_DATABASE_URL``) or from a file of that name, in lower case,
    under ``/run/secrets``.
    """

    model_config = SettingsConfigDict(
        extra="ignore", populate_by_name=True, secrets_dir=SECRETS if SECRETS.is_dir() else None
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
    log_level: str = "INFO"
    prefetch: Annotated[int, Field(ge=1)] = 128
    batch_events: Annotated[int, Field(ge=1, description="events in one transaction, at most about")] = 1000
    linger_ms: Annotated[float, Field(ge=0, description="milliseconds to wait for company")] = 3.0
    inbox_days: Annotated[int, Field(ge=1, description="days that an event's id is remembered")] = 90
