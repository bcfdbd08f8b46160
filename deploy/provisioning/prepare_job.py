"""What the services need before they start, for the jobs that docker compose and Kubernetes run; any number of times.

Roles and the services' broker users get the passwords that are in the services' own addresses. Former systems and staff
tools are left as ``traboule former-systems`` made them: whoever is known keeps its password, for it may be a newer one
than any file's, and gets what it lacks.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

from deploy.errors import NodeError
from deploy.provisioning.external import BROKER, DATABASE, MANAGEMENT
from deploy.provisioning.provision import CLUSTERS, outside, provision
from services import SERVICES
from services.cli.environment import settings_of
from services.cli.members.rebuild import rebuild_now, summary
from services.cli.migrate import in_words
from services.common.environment import NotConfigured
from services.membership.settings import MembershipSettings
from shared.messaging import accounts
from shared.messaging.management import Management
from shared.messaging.topology import OWN_PUBLISHER
from shared.runtime.clusters import ClustersFileError, load_clusters
from shared.runtime.settings import CLUSTERS_FILE
from shared.runtime.tls import TlsError, address
from shared.runtime.variables import SecretFileError

NO_PASSWORDS: Mapping[str, str] = MappingProxyType({})


class NotGivenError(Exception):
    """A variable that is needed is not set."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """``let_in`` are former systems and staff tools that may publish, ``revoked`` those whose rights were taken away.

    ``messages`` says in a line each how the schemas stand, and whether members were recognised anew.
    """

    let_in: tuple[str, ...]
    revoked: tuple[str, ...]
    messages: tuple[str, ...]


def given(name: str) -> str:
    """The address in a variable or its file. Raises NotGivenError."""
    url = address(name)
    if url is None:
        raise NotGivenError(f"{name} is not set")
    return url


def passwords(services: Sequence[str] = SERVICES) -> dict[str, str]:
    """Of each service's role and broker user, as its own addresses hold them. Raises NotGivenError."""
    result: dict[str, str] = {}
    for service in services:
        for name, what in ((f"{OWN_PUBLISHER}_{service}", "DATABASE"), (f"{OWN_PUBLISHER}.{service}", "BROKER")):
            variable = f"TRABOULE_{service.upper()}_{what}_URL"
            parts = urlsplit(given(variable))
            if unquote(parts.username or "") != name or not parts.password:
                raise NotGivenError(f"{variable} does not hold the user {name} and its password")
            result[name] = unquote(parts.password)
    return result


def prepare(services: Sequence[str] = SERVICES, first_passwords: Mapping[str, str] = NO_PASSWORDS) -> Prepared:
    """Make what is missing.

    ``first_passwords`` are of former systems and staff tools, for those whom the broker does not know yet; without one
    it stays so, until ``traboule former-systems add``. Raises NotGivenError, NodeError, RightsError, NotConfigured,
    TlsError, SecretFileError, ClustersFileError.
    """
    database, broker, management = given(DATABASE), given(BROKER), given(MANAGEMENT)
    clusters_file = Path(os.environ.get(CLUSTERS_FILE) or CLUSTERS)
    left = provision(
        database, broker, management,
        clusters_file=clusters_file, services=services, secrets=passwords(services), former_systems=False,
    ).left  # fmt: skip
    let_in, revoked = _let_in(
        Management(management),
        accounts.vhost_of(broker),
        outside(load_clusters(clusters_file), services),
        first_passwords,
    )
    lines = [in_words(service, pending) for service, pending in left.items()]
    if "membership" in services:
        # A program that recognises otherwise than the one before would wait for this with its first message.
        settings = settings_of("membership")
        assert isinstance(settings, MembershipSettings)
        lines.append(summary(rebuild_now(settings, if_needed=True)))
    return Prepared(tuple(let_in), tuple(revoked), tuple(lines))


def _let_in(
    broker: Management, vhost: str, users: Sequence[str], first_passwords: Mapping[str, str]
) -> tuple[list[str], list[str]]:
    known = accounts.read_accounts(broker, vhost)
    let_in, revoked = list[str](), list[str]()
    for user in users:
        account = known.get(user)
        if account is not None and account.in_vhost and account.rights.none:
            revoked.append(user)
        elif user in first_passwords or (account is not None and account.in_vhost):
            accounts.grant(broker, vhost, user, first_passwords[user] if account is None else None)
            let_in.append(user)
    return let_in, revoked


def run(first_passwords: Mapping[str, str] = NO_PASSWORDS) -> int:
    """What a container engine shows in its log, and the exit code: 0 when everything is as this program wants it."""
    began = time.monotonic()
    try:
        prepared = prepare(first_passwords=first_passwords)
    except (
        NotGivenError, NodeError, accounts.RightsError, NotConfigured, TlsError, SecretFileError, ClustersFileError
    ) as error:  # fmt: skip
        print(error, file=sys.stderr)  # noqa: T201 - there is no command line around it
        return 1
    lines = [*prepared.messages, f"let in are {', '.join(prepared.let_in) or 'no former systems yet'}"]
    if prepared.revoked:
        lines.append(
            f"revoked, and left so: {', '.join(prepared.revoked)}. traboule former-systems add SYSTEM --again undoes it"
        )
    lines.append(f"databases and broker are ready, in {time.monotonic() - began:.1f} s")
    print("\n".join(lines))  # noqa: T201
    return 0
