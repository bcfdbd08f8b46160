"""Reads the issuers file (TOML): one table for each legal body, with its settings from a day on."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from services.billing.issuers.issuer import Issuer, overlap
from shared.runtime.toml_file import ConfigurationFileError, faults, read_toml


class IssuersFileError(ConfigurationFileError):
    """The file of issuers cannot be used; the message says where, why, and what to do."""


def load_issuers(path: Path, clusters: Collection[str]) -> dict[str, Issuer]:
    """The issuers by code. Raises IssuersFileError; ``clusters`` are those that exist."""
    tree = read_toml(path, "TRABOULE_BILLING_ISSUERS_FILE", IssuersFileError)
    tables = tree.get("issuers", {})
    if not isinstance(tables, dict) or set(tree) - {"issuers"}:
        raise IssuersFileError(f"{path}: it holds tables [issuers.CODE], and nothing else")
    issuers = [_issuer(path, code, entry, clusters) for code, entry in tables.items()]
    if twice := overlap(issuers):
        raise IssuersFileError(f"{path}: {twice}: write the last day of the former one as until")
    return {issuer.code: issuer for issuer in issuers}


def _issuer(path: Path, code: str, entry: Any, clusters: Collection[str]) -> Issuer:
    if not isinstance(entry, Mapping):
        raise IssuersFileError(f"{path}: issuers.{code}: it must be a table")
    try:
        issuer = Issuer.model_validate({"code": code, **entry})
    except ValidationError as error:
        raise IssuersFileError(f"{path}: issuers.{code}: {faults(error)}") from None
    if unknown := sorted(set(issuer.clusters) - set(clusters)):
        raise IssuersFileError(
            f"{path}: issuers.{code}.clusters: there is no cluster {unknown[0]!r}; there are {', '.join(clusters)}"
        )
    return issuer
