"""Reads the issuers file (TOML): one table for each legal body, with its settings from a day on."""

import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from services.billing.issuers.issuer import Issuer, overlap
from shared.runtime.clusters import ClustersFileError


class IssuersFileError(ClustersFileError):
    """The file of issuers cannot be used, which is about clusters too; the message says where, why, and what to do."""


def load_issuers(path: Path, clusters: Collection[str]) -> dict[str, Issuer]:
    """The issuers by code. Raises IssuersFileError; ``clusters`` are those that exist."""
    try:
        # Notepad writes a byte order mark in front, which TOML does not know.
        tree = tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise IssuersFileError(f"{path}: there is no such file; set TRABOULE_BILLING_ISSUERS_FILE") from None
    except OSError as error:
        raise IssuersFileError(f"{path}: the file cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise IssuersFileError(f"{path}: the file must be saved as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise IssuersFileError(f"{path}: this is not TOML: {error}") from None
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
        raise IssuersFileError(f"{path}: issuers.{code}: {_faults(error)}") from None
    if unknown := sorted(set(issuer.clusters) - set(clusters)):
        raise IssuersFileError(
            f"{path}: issuers.{code}.clusters: there is no cluster {unknown[0]!r}; there are {', '.join(clusters)}"
        )
    return issuer


def _faults(error: ValidationError) -> str:
    def place(fault: Mapping[str, Any]) -> str:
        return ".".join(str(part) for part in fault["loc"])

    told = [": ".join(filter(None, (place(f), f["msg"].removeprefix("Value error, ")))) for f in error.errors()]
    return "; ".join(told)
