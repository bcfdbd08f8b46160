"""A brand under which mail goes out, the relay that takes it, and how fast each domain is written to."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.runtime.variables import SecretFileError

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\r\n]+$")]
Domain = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")]


def _address(text: str) -> str:
    try:
        return validate_email(text, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None


Address = Annotated[str, AfterValidator(_address)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Dkim(_Part):
    """The key that a brand's mail is signed with (RFC 6376). ``selector`` has the year in it, to turn keys."""

    selector: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)*$")]
    key_file: Path


class Brand(_Part):
    """Who mail is from. ``return_domain`` takes bounces; without ``dkim`` the relay signs."""

    code: str
    name: Line
    sender: Address
    reply_to: Address | None = None
    return_domain: Domain
    clusters: tuple[str, ...] = ()
    language: Literal["fr", "en"] = "fr"
    postal_address: Line | None = None
    dkim: Dkim | None = None

    @property
    def domain(self) -> str:
        """The domain that its mail is from, and that DKIM signs for (DMARC alignment, RFC 7489 §3.1)."""
        return self.sender.rpartition("@")[2]


class Relay(_Part):
    """The server that takes our mail. ``connections`` at once, from all replicas each."""

    host: Line
    port: Annotated[int, Field(ge=1, le=65535)] = 25
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    ca_file: Path | None = None
    username: str | None = None
    password_file: Path | None = None
    connections: Annotated[int, Field(ge=1, le=50)] = 4
    hello: Domain | None = None

    def password(self) -> str | None:
        """From its file, once. Raises SecretFileError."""
        if self.password_file is None:
            return None
        try:
            return self.password_file.read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SecretFileError(f"{self.password_file} cannot be read ({type(error).__name__})") from None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.username is None) != (self.password_file is None):
            raise ValueError("username and password_file belong together")
        if self.username is not None and self.tls == "none" and self.host not in ("localhost", "127.0.0.1"):
            raise ValueError("a password is sent over TLS alone: set tls")
        return self


class Pace(_Part):
    """How fast the addresses of one domain are written to."""

    per_minute: Annotated[int, Field(ge=1, le=60_000)]

    @property
    def every(self) -> timedelta:
        """Between two mails."""
        return timedelta(minutes=1) / self.per_minute


class MailSettings(_Part):
    """The whole file. ``public_url`` is where recipients reach the gateway."""

    public_url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+(/[^\s]*[^/\s])?$")]
    relay: Relay
    brands: Mapping[str, Brand]
    paces: Mapping[Domain, Pace] = Field(default_factory=dict)

    def brand_of(self, cluster: str) -> Brand | None:
        """The brand that writes to a cluster's members; else the only one there is."""
        found = [brand for brand in self.brands.values() if cluster in brand.clusters]
        return found[0] if found else next(iter(self.brands.values())) if len(self.brands) == 1 else None
