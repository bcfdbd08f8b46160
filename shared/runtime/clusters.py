"""The clusters and their lineages: configuration, so that a third cluster needs no code."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class ClustersFileError(ValueError):
    """The clusters file cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """An older body inside a cluster, and the départements that it covers."""

    code: str
    name: str
    departements: frozenset[str]


@dataclass(frozen=True, slots=True)
class Cluster:
    """One of the merging organisations. ``services`` are those for which it has a former system."""

    code: str
    name: str
    services: tuple[str, ...]
    lineages: tuple[Lineage, ...]

    def lineage_in(self, departement: str | None) -> str | None:
        """The lineage that covers a département, if just one does."""
        codes = [lineage.code for lineage in self.lineages if departement in lineage.departements]
        return codes[0] if len(codes) == 1 else None


def load_clusters(path: Path) -> dict[str, Cluster]:
    """Read the clusters file (TOML), by code. Raises ClustersFileError."""
    try:
        # Notepad writes a byte order mark in front, which TOML does not know.
        tree = tomllib.loads(path.read_text("utf-8-sig"))
        return {code: _cluster(code, entry) for code, entry in tree["clusters"].items()}
    except FileNotFoundError:
        raise ClustersFileError(f"{path}: there is no such file; set TRABOULE_CLUSTERS_FILE") from None
    except OSError as error:
        raise ClustersFileError(f"{path}: the file cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ClustersFileError(f"{path}: the file must be saved as UTF-8") from None
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ClustersFileError(f"{path}: {type(error).__name__}: {error}") from None


def _cluster(code: str, entry: Mapping[str, Any]) -> Cluster:
    lineages = tuple(
        Lineage(one["code"], one["name"], frozenset(one.get("departements", ()))) for one in entry.get("lineages", ())
    )
    return Cluster(code, entry["name"], tuple(entry["former_systems"]), lineages)
