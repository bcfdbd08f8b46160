"""Gives each service what it owns: a database and a role, a broker user with its queues, and a migrated schema.

It may run again at any time: what is there stays, what is missing is made, and passwords become those of this run.
"""

from __future__ import annotations

import asyncio
import secrets as random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import asyncpg
import structlog

import services as services_package
from deploy.errors import NodeError
from deploy.provisioning.definitions import load_definitions
from schemas.catalogue import COMMANDS
from services import EXTENSIONS, SERVICES
from services.cli.migrate import blocked
from services.cli.registry import definition_of
from shared.messaging import accounts, broker_version
from shared.messaging.consumer import MAX_BODY
from shared.messaging.management import Management, ManagementError, path
from shared.messaging.topology import OWN_PUBLISHER, QUEUE_BYTES, STAFF, Queue, definitions
from shared.persistence import migrations
from shared.runtime.clusters import Cluster, load_clusters
from shared.runtime.settings import CLUSTERS_FILE
from shared.runtime.variables import variable

log = structlog.get_logger()

CLUSTERS = Path(__file__).resolve().parents[1] / "clusters.toml"
SURVIVORSHIP = Path(__file__).parents[1] / "survivorship.toml"
ISSUERS = Path(__file__).parents[1] / "issuers.toml"
ADDRESS_KEYS, ADDRESS_KEYS_VARIABLE = "communications.address-keys", "TRABOULE_COMMUNICATIONS_ADDRESS_KEYS"
"""Among the secrets, and in the environment: what communications hashes addresses with."""
QUEUE_BYTES_VARIABLE = "TRABOULE_QUEUE_BYTES"
"""Names the variable with what may wait in each subscription; see :data:`shared.messaging.topology.QUEUE_BYTES`."""


@dataclass(frozen=True)
class Provisioned:
    """``env`` is what the services, the former systems and the ``traboule`` command are given.

    ``secrets`` holds the passwords by role and broker user, for a second call that must not change them.
    ``revoked`` are broker users whose rights were taken away before: they have none still, and stand in neither.
    ``left`` is what the migration left of each service's schema: see :class:`shared.persistence.migrations.Pending`.
    """

    env: dict[str, str] = field(repr=False)
    secrets: Mapping[str, str] = field(repr=False)
    revoked: tuple[str, ...] = ()
    left: Mapping[str, migrations.Pending] = field(default_factory=dict[str, migrations.Pending])


def provision(
    database_admin_url: str,
    broker_admin_url: str,
    management_url: str,
    *,
    clusters_file: Path,
    survivorship_file: Path = SURVIVORSHIP,
    services: Sequence[str] = SERVICES,
    secrets: Mapping[str, str] | None = None,
    databases: str = OWN_PUBLISHER,
    former_systems: bool = True,
    private_broker: bool = False,
) -> Provisioned:
    """Make or complete everything that the services need on one database server and one broker.

    ``clusters_file`` is what every service goes by, ``survivorship_file`` membership alone.
    The broker's virtual host is the path of ``broker_admin_url``. ``databases`` is the first word of the names of
    databases and roles, so that one server can carry several houses. ``secrets`` gives passwords by role
    (``traboule_billing``) or broker user (``traboule.billing``, ``numelink.billing``); others are made at random.
    Without ``former_systems`` their broker users and those of staff tools are left as they are: see ``traboule
    former-systems add``, which is also what gives one that was retired or revoked its rights back.
    ``private_broker`` is for a node that the caller started itself: it may be older than what former systems need.

    Raises NodeError: a server refuses us, the broker is too old for former systems, or a schema has to wait for what
    this program needs.
    """
    clusters = load_clusters(clusters_file)
    given = {} if secrets is None else secrets
    vhost = unquote(urlsplit(broker_admin_url).path[1:]) or "/"
    theirs = outside(clusters, services) if former_systems else []
    if theirs:
        _require_new_broker(management_url, private_broker)
    revoked = _revoked(management_url, vhost).intersection(theirs)
    passwords = {
        name: given.get(name) or random.token_urlsafe(24)
        for name in [
            *(f"{databases}_{service}" for service in services),
            *(f"{OWN_PUBLISHER}.{service}" for service in services),
            *(user for user in theirs if user not in revoked),
        ]
    }
    broker = _definitions(services, clusters, passwords, vhost)
    asyncio.run(_make_databases(database_admin_url, services, passwords, databases))
    load_definitions(management_url, broker)
    env = _environment(database_admin_url, broker_admin_url, services, clusters, passwords, databases)
    # Whole paths: the command may be called from any folder.
    env[CLUSTERS_FILE] = str(clusters_file.resolve())
    if "membership" in services:
        env["TRABOULE_MEMBERSHIP_SURVIVORSHIP_FILE"] = str(survivorship_file.resolve())
    if "communications" in services:
        env[ADDRESS_KEYS_VARIABLE] = passwords[ADDRESS_KEYS] = given.get(ADDRESS_KEYS, f"1:{random.token_hex(32)}")
    if "billing" in services and clusters_file == CLUSTERS:
        env["TRABOULE_BILLING_ISSUERS_FILE"] = str(ISSUERS)
    left = _migrate(services, env)
    if revoked:
        log.warning("provision.left_revoked", users=sorted(revoked), mend="traboule former-systems add SYSTEM --again")
    return Provisioned(env, passwords, tuple(sorted(revoked)), left)


def migrations_folder(service: str) -> Path:
    """Where a service keeps its Alembic history."""
    return Path(services_package.__path__[0]) / service / "migrations"


def queues(service: str) -> list[Queue]:
    """The queues that a service reads."""
    return [subscription.queue for subscription in definition_of(service).subscriptions]


def outside(clusters: Mapping[str, Cluster], services: Iterable[str]) -> list[str]:
    """Who publishes though it is no service of ours: former systems, and the tools that send a service commands."""
    systems = [f"{code}.{name}" for code, cluster in clusters.items() for name in cluster.services if name in services]
    return [*systems, *(f"{STAFF}.{name}" for name in sorted({kind.service for kind in COMMANDS}) if name in services)]


def _require_new_broker(management_url: str, private: bool) -> None:
    try:
        broker_version.require(Management(management_url), private=private)
    except (ManagementError, broker_version.OldBrokerError) as error:
        raise NodeError(str(error)) from None


def _revoked(management_url: str, vhost: str) -> set[str]:
    """Broker users who were known here, and may do nothing at all any more."""
    nothing = dict.fromkeys(("configure", "write", "read"), accounts.NOTHING)
    try:
        rights = Management(management_url).find(path("vhosts", vhost, "permissions"))
    except ManagementError as error:
        raise NodeError(str(error)) from None
    return {right["user"] for right in rights or () if nothing.items() <= right.items()}


def _definitions(
    services: Sequence[str], clusters: Mapping[str, Cluster], passwords: Mapping[str, str], vhost: str
) -> dict[str, Any]:
    return definitions(
        [queue for service in services for queue in queues(service)],
        {service: passwords[f"{OWN_PUBLISHER}.{service}"] for service in services},
        {user: passwords[user] for user in outside(clusters, services) if user in passwords},
        vhost=vhost,
        queue_bytes=_queue_bytes(),
    )


def _queue_bytes() -> int:
    written = variable(QUEUE_BYTES_VARIABLE) or str(QUEUE_BYTES)
    if not written.isdecimal() or int(written) < MAX_BODY:
        raise NodeError(f"{QUEUE_BYTES_VARIABLE} must be a number of bytes, {MAX_BODY} or more")
    return int(written)


def _environment(
    database_admin_url: str,
    broker_admin_url: str,
    services: Sequence[str],
    clusters: Mapping[str, Cluster],
    passwords: Mapping[str, str],
    databases: str,
) -> dict[str, str]:
    env: dict[str, str] = {}
    for service in services:
        role, user = f"{databases}_{service}", f"{OWN_PUBLISHER}.{service}"
        env[f"TRABOULE_{service.upper()}_DATABASE_URL"] = _as(database_admin_url, role, passwords[role], path=role)
        env[f"TRABOULE_{service.upper()}_BROKER_URL"] = _as(broker_admin_url, user, passwords[user])
    for user in outside(clusters, services):
        if user not in passwords:
            continue
        name = user.replace(".", "_").replace("-", "_").upper()
        env[f"TRABOULE_BROKER_URL_{name}"] = _as(broker_admin_url, user, passwords[user])
    return env


def _as(url: str, user: str, password: str, path: str | None = None) -> str:
    """An administrator's URL as another user's."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{quote(user, safe='')}:{quote(password, safe='')}@{host}"
    return urlunsplit(parts._replace(netloc=netloc, path=parts.path if path is None else f"/{path}"))


def _migrate(services: Sequence[str], env: Mapping[str, str]) -> dict[str, migrations.Pending]:
    left: dict[str, migrations.Pending] = {}
    for service in services:
        try:
            left[service] = migrations.upgrade(
                migrations_folder(service), env[f"TRABOULE_{service.upper()}_DATABASE_URL"]
            )
        except migrations.UnknownRevisionError as error:
            raise NodeError(f"{service}: {error}") from None
    if wrong := [f"{service}: {blocked(service, pending)}" for service, pending in left.items() if pending.blocked]:
        raise NodeError("\n".join(wrong))
    return left


# --- databases -----------------------------------------------------------------------------------------------------


async def _make_databases(
    admin_url: str, services: Sequence[str], passwords: Mapping[str, str], databases: str
) -> None:
    names = [f"{databases}_{service}" for service in services]
    try:
        admin = await asyncpg.connect(admin_url, timeout=10)
    except (OSError, asyncpg.PostgresError) as error:
        raise NodeError(f"the administrator cannot connect to the database server: {error}") from None
    try:
        # Another who provisions sees what we made, instead of making it too. Ends with the connection.
        await admin.execute("select pg_advisory_lock(hashtext('provision'))")
        for name in names:
            await _make_role(admin, name, passwords[name])
        await asyncio.gather(
            *(_make_database(admin_url, name, service) for name, service in zip(names, services, strict=True))
        )
    finally:
        await admin.close()


async def _make_role(admin: asyncpg.Connection[Any], name: str, password: str) -> None:
    # format(%I, %L) quotes on the server: a utility statement takes no parameters.
    known = await admin.fetchval("select 1 from pg_roles where rolname = $1", name)
    verb = "alter" if known else "create"
    await admin.execute(
        await admin.fetchval(f"select format('{verb} role %I login password %L', $1::text, $2::text)", name, password)
    )
    # An administrator who is not a superuser can only give a database to a role that he belongs to.
    await admin.execute(await admin.fetchval("select format('grant %I to current_user', $1::text)", name))


async def _make_database(admin_url: str, name: str, service: str) -> None:
    admin = await asyncpg.connect(admin_url, timeout=10)
    try:
        if not await admin.fetchval("select 1 from pg_database where datname = $1", name):
            await admin.execute(
                await admin.fetchval("select format('create database %1$I owner %1$I', $1::text)", name)
            )
        await admin.execute(
            await admin.fetchval("select format('revoke all on database %I from public', $1::text)", name)
        )
    finally:
        await admin.close()
    if EXTENSIONS.get(service):
        await _make_extensions(admin_url, name, EXTENSIONS[service])


async def _make_extensions(admin_url: str, database: str, extensions: Iterable[str]) -> None:
    parts = urlsplit(admin_url)
    inside = await asyncpg.connect(urlunsplit(parts._replace(path=f"/{database}")), timeout=10)
    try:
        for extension in extensions:
            await inside.execute(f"create extension if not exists {extension}")
    finally:
        await inside.close()
