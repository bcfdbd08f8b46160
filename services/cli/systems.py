"""How an operator names one former system: by its cluster and its service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from services import SERVICES
from services.cli.environment import configured
from services.cli.registry import definition_of
from shared.cli.terminal import refuse
from shared.runtime.clusters import load_clusters

if TYPE_CHECKING:
    from services.common.definition import ServiceDefinition
    from shared.runtime.settings import ServiceSettings

System = Annotated[str, typer.Argument(metavar="SYSTEM", help="cluster and service, such as numelink/billing")]


def named(system: str) -> tuple[str, ServiceDefinition[Any], ServiceSettings]:
    """The cluster, the service and its settings of what an operator named."""
    cluster, _, service = system.partition("/")
    if service not in SERVICES:
        refuse(f"{system!r} is no former system: write <cluster>/<service>, such as numelink/billing")
    settings = configured(service)[service]
    clusters = load_clusters(settings.clusters_file)
    if cluster not in clusters:
        refuse(f"there is no cluster {cluster!r}; there are {', '.join(clusters)}")
    if service not in clusters[cluster].services:
        refuse(f"{cluster} has no former system for {service}")
    return cluster, definition_of(service), settings
