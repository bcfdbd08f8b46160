"""What the clusters file says of the former system whose files are imported."""

import os
from pathlib import Path
from typing import Final

from services.cli.importing.choice import FormerSystem
from shared.importing.outcomes import UnreadableError
from shared.runtime.clusters import Cluster, ClustersFileError, load_clusters

CLUSTERS_FILE: Final = "TRABOULE_CLUSTERS_FILE"
DEFAULT_CLUSTERS_FILE: Final = "deploy/clusters.toml"


def cluster_of(system: FormerSystem) -> Cluster | None:
    """The cluster as it is configured; None where there is no clusters file, or it is not in it.

    Raises UnreadableError.
    """
    path = Path(os.environ.get(CLUSTERS_FILE) or DEFAULT_CLUSTERS_FILE)
    if not path.exists():
        return None
    try:
        return load_clusters(path).get(system.cluster)
    except ClustersFileError as error:
        raise UnreadableError(str(error)) from None
