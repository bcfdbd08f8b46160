"""This service's own knobs: ``TRABOULE_MEMBERSHIP_…``."""

from datetime import date
from pathlib import Path
from typing import Annotated

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
    public_url: str = Field(
        "",
        pattern=r"^(https?://[^\s/]+)?$",
        description="address at which browsers reach the gateway, such as https://traboule.example; "
        "empty: this machine alone may use the console",
    )

    gateway_port: Annotated[int, Field(ge=1, le=65535)] | None = Field(
        None,
        description="port of the gateway, where health and metrics keep HTTP_PORT for themselves; "
        "without it all are on HTTP_PORT",
    )

    requests_per_second: int = Field(
        200,
        ge=1,
        description="requests a second that one API key may send for long, of five seconds at once; "
        "ten times as many for single members by id, a tenth for a person",
    )

    oidc_issuer: str = Field("", description="an OpenID Connect provider that knows the people of the console")
    oidc_client_id: str = Field("", description="what we are called there")
    oidc_client_secret: str = Field("", repr=False, description="and our secret there; better by …_SECRET_FILE")
    oidc_name: str = Field("", max_length=60, description="how the button that leads there is called")

    @property
    def console_url(self) -> str:
        """Where the console is. Without a public address a name, not an IP address: a passkey needs one."""
        return self.public_url or f"http://localhost:{self.gateway_port or self.http_port}"
