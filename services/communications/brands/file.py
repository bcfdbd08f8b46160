"""Reads the mail file (TOML): ``public_url``, ``[relay]``, ``[brands.CODE]`` and ``[paces."domain"]``."""

from collections.abc import Collection
from pathlib import Path

from pydantic import ValidationError

from services.communications.brands.brand import MailSettings
from shared.runtime.toml_file import ConfigurationFileError, faults, read_toml

VARIABLE = "TRABOULE_COMMUNICATIONS_MAIL_FILE"


class MailFileError(ConfigurationFileError):
    """The mail file cannot be used; the message says where, why, and what to do."""


def load_mail(path: Path, clusters: Collection[str]) -> MailSettings:
    """The brands, the relay and the paces. Raises MailFileError; ``clusters`` are those that exist."""
    tree = read_toml(path, VARIABLE, MailFileError)
    brands = tree.get("brands", {})
    if not isinstance(brands, dict) or not brands:
        raise MailFileError(f"{path}: it holds no table [brands.CODE]: mail needs somebody whom it is from")
    tree["brands"] = {
        code: {"code": code, **entry} if isinstance(entry, dict) else entry for code, entry in brands.items()
    }
    try:
        mail = MailSettings.model_validate(tree)
    except ValidationError as error:
        raise MailFileError(f"{path}: {faults(error)}") from None
    for brand in mail.brands.values():
        if unknown := sorted(set(brand.clusters) - set(clusters)):
            raise MailFileError(
                f"{path}: brands.{brand.code}.clusters: there is no cluster {unknown[0]!r}; there are "
                f"{', '.join(clusters)}"
            )
    return mail
