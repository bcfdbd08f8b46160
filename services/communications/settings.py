"""This service's own knobs: ``TRABOULE_COMMUNICATIONS_…``."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from services.communications.brands.brand import MailSettings
from services.communications.brands.file import load_mail
from services.communications.suppressions.address import Keyring
from shared.runtime.clusters import load_clusters
from shared.runtime.settings import ServiceSettings


class CommunicationsSettings(ServiceSettings):
    """Settings of the communications service."""

    model_config = SettingsConfigDict(env_prefix="TRABOULE_COMMUNICATIONS_")

    address_keys: SecretStr | None = Field(
        None, description="secrets that addresses are hashed with, such as 2027:HEX, the newest first; never lose one"
    )

    mail_file: Path | None = Field(
        None, description="who mail is from and the relay that takes it (TOML); without it no mail goes out"
    )

    lmtp_host: str = Field("127.0.0.1", description="where bounces and mailed objections are taken in")
    lmtp_port: Annotated[int, Field(ge=0, le=65535, description="0: nowhere; see traboule mail bounces")] = 0

    log_days: Annotated[int, Field(ge=90, description="days that a mail's recipient and answers are kept")] = 365
    text_days: Annotated[int, Field(ge=30, description="days that what a mail said, and what came back, is kept")] = 90

    def keyring(self) -> Keyring | None:
        """The keys of addresses, if any is set. Raises AddressKeysError."""
        return None if self.address_keys is None else Keyring.read(self.address_keys.get_secret_value())

    def mail(self) -> MailSettings | None:
        """Brands and relay, if there is a mail file. Raises MailFileError, ClustersFileError."""
        return None if self.mail_file is None else load_mail(self.mail_file, load_clusters(self.clusters_file))
