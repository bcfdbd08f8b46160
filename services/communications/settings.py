"""This service's own knobs: ``TRABOULE_COMMUNICATIONS_…``."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from services.communications.suppressions.address import AddressKeysError, Keyring
from shared.runtime.settings import ServiceSettings


class CommunicationsSettings(ServiceSettings):
    """Settings of the communications service."""

    model_config = SettingsConfigDict(env_prefix="TRABOULE_COMMUNICATIONS_")

    address_keys: SecretStr | None = Field(
        None, description="secrets that addresses are hashed with, such as 2027:HEX, the newest first; never lose one"
    )

    def keyring(self) -> Keyring:
        """The keys of addresses. Raises AddressKeysError."""
        if self.address_keys is None:
            raise AddressKeysError("TRABOULE_COMMUNICATIONS_ADDRESS_KEYS is not set: see deploy/README.md, Mail")
        return Keyring.read(self.address_keys.get_secret_value())
