"""``python -m deploy.kubernetes.prepare``: what the services need, before they start; any number of times.

Roles and the services' broker users get the passwords that are in the services' own addresses. Former systems and staff
tools are let in by ``traboule former-systems add`` alone: those who are keep their passwords, and get what they lack.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from deploy.local.errors import NodeError
from deploy.local.house import CLUSTERS
from deploy.local.named import BROKER, DATABASE, MANAGEMENT
from deploy.provision import outside, provision
from services import SERVICES
from services.ops import broker_rights
from shared.messaging.management import Management
from shared.messaging.topology import HOUSE
from shared.runtime.clusters import ClustersFileError, load_clusters
from shared.runtime.settings import CLUSTERS_FILE
from shared.runtime.tls import TlsError, address
from shared.runtime.variables import SecretFileError


class NotGivenError(Exception):
    """A variable that is needed is not set."""


def given(name: str) -> str:
    """The address in a variable or its file. Raises NotGivenError."""
    url = address(name)
    if url is None:
        raise NotGivenError(f"{name} is not set")
    return url


def passwords(services: Sequence[str] = SERVICES) -> dict[str, str]:
    """Of each service's role and broker user, as its own addresses hold them. Raises NotGivenError."""
    found: dict[str, str] = {}
    for service in services:
        for name, what in ((f"{HOUSE}_{service}", "DATABASE"), (f"{HOUSE}.{service}", "BROKER")):
            variable = f"TRABOULE_{service.upper()}_{what}_URL"
            parts = urlsplit(given(variable))
            if unquote(parts.username or "") != name or not parts.password:
                raise NotGivenError(f"{variable} does not hold the user {name} and its password")
            found[name] = unquote(parts.password)
    return found


def prepare(services: Sequence[str] = SERVICES) -> list[str]:
    """Make what is missing; the former systems and staff tools that were let in before, and got what they lacked."""
    database, broker, management = given(DATABASE), given(BROKER), given(MANAGEMENT)
    clusters_file = Path(os.environ.get(CLUSTERS_FILE) or CLUSTERS)
    secrets = passwords(services)
    provision(
        database, broker, management,
        clusters_file=clusters_file, services=services, secrets=secrets, former_systems=False,
    )  # fmt: skip
    api, vhost = Management(management), broker_rights.vhost_of(broker)
    known = broker_rights.accounts(api, vhost)
    let_in = [
        user
        for user in outside(load_clusters(clusters_file), services)
        if user in known and known[user].here and not known[user].rights.none
    ]
    for user in let_in:
        broker_rights.grant(api, vhost, user, None)
    return let_in


def main() -> int:
    """Exit code 0 when everything is as this program wants it."""
    try:
        let_in = prepare()
    except (NotGivenError, NodeError, broker_rights.RightsError, TlsError, SecretFileError, ClustersFileError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - what `kubectl logs` shows
        return 1
    print(f"databases and broker are ready; let in are {', '.join(let_in) or 'no former systems yet'}")  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
