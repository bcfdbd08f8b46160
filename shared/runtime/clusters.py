"""The clusters, their lineages and their former systems: configuration, so that a third cluster needs no code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from shared.runtime.toml_file import ConfigurationFileError, read_toml


class ClustersFileError(ConfigurationFileError):
    """The clusters file cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """An older body inside a cluster, and the départements that it covers."""

    code: str
    name: str
    departements: frozenset[str]


@dataclass(frozen=True, slots=True)
class Cluster:
    """One of the merging organisations. ``services`` are those for which it has a former system.

    ``products`` names the software that a former system is, by service; ``added_columns`` the columns that the cluster
    added to it, as its files head them; ``statuses`` what the cluster's own words for a status mean; ``mark`` is its
    sign on pages, of two letters, or empty. Which products and meanings there are is known to the service concerned.
    """

    code: str
    name: str
    services: tuple[str, ...]
    lineages: tuple[Lineage, ...]
    products: Mapping[str, str] = field(default_factory=dict[str, str])
    added_columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    statuses: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    mark: str = ""

    def lineage_in(self, departement: str | None) -> str | None:
        """The lineage that covers a département, if just one does."""
        codes = [lineage.code for lineage in self.lineages if departement in lineage.departements]
        return codes[0] if len(codes) == 1 else None


def load_clusters(path: Path) -> dict[str, Cluster]:
    """Read the clusters file (TOML), by code. Raises ClustersFileError."""
    tree = read_toml(path, "TRABOULE_CLUSTERS_FILE", ClustersFileError)
    try:
        return {code: _cluster(code, entry) for code, entry in tree["clusters"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise ClustersFileError(f"{path}: {type(error).__name__}: {error}") from None


def _cluster(code: str, entry: Mapping[str, Any]) -> Cluster:
    lineages = tuple(
        Lineage(item["code"], item["name"], frozenset(item.get("departements", ())))
        for item in entry.get("lineages", ())
    )
    services = tuple(entry["former_systems"])
    products = {service: _text(name) for service, name in _of_services(entry, "products", services)}
    added = {service: _texts(columns) for service, columns in _of_services(entry, "added_columns", services)}
    statuses = {service: _words(table) for service, table in _of_services(entry, "statuses", services)}
    mark = _text(entry.get("mark", ""))
    if len(mark) > 2:
        raise TypeError(f"mark = {mark!r}: two letters at most")
    return Cluster(code, entry["name"], services, lineages, products, added, statuses, mark)


def _of_services(entry: Mapping[str, Any], table: str, services: tuple[str, ...]) -> list[tuple[str, Any]]:
    """What a table says of each former system. Raises TypeError for one that the cluster does not have."""
    entries = list(entry.get(table, {}).items())
    for service, _ in entries:
        if service not in services:
            raise TypeError(f"{table}.{service}: there is no such former system in former_systems")
    return entries


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return tuple(_text(item) for item in cast("list[object]", value))


def _words(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is no table")
    return {_text(word): _text(meaning) for word, meaning in cast("dict[object, object]", value).items()}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
