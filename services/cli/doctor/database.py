"""One service's database: its schema, its role, its clock, what waits in it, and what should have been done by now."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from services import EXTENSIONS
from services.cli.backup.restore import ADMIN
from services.cli.doctor.findings import PREPARE, Finding, Findings
from services.cli.migrate import schema_state
from shared.cli.terminal import ago, size, span
from shared.persistence.database import asyncpg_url
from shared.persistence.migrations import UnknownRevisionError
from shared.runtime.settings import ServiceSettings
from shared.runtime.tls import address

SKEW_SECONDS = 5.0
BACKUP_IS_OLD = timedelta(days=1)
PARITY_IS_OLD = timedelta(days=2)
"""A day more than the daily comparison takes, and so the first that was missed."""
KEY_ENDS_SOON = timedelta(days=14)
LONG_SECONDS = 300
"""A transaction that is open for longer keeps dead rows from being cleared away."""
FEW_CONNECTIONS = 0.85
LITTLE_DISK = 0.10
NO_DISK = 16 * 1024 * 1024
"""Bytes of one segment of its log: a server that cannot begin the next one ends."""

_SERVER = """
    select clock_timestamp() as now, current_user as role,
           (select rolsuper from pg_roles where rolname = current_user) as superuser,
           (select pg_get_userbyid(datdba) from pg_database where datname = current_database()) as owner,
           array(select extname::text from pg_extension) as extensions,
           (select count(*) from pg_stat_activity where datid is not null) as connections,
           current_setting('max_connections')::int as most,
           (select extract(epoch from max(clock_timestamp() - xact_start))::float from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()) as longest
"""
_CONTENT = """
    select (select max(at) from backups) as backup,
           (select count(*) from quarantine where state = 'waiting') as late,
           (select min(received_at) from quarantine where state = 'waiting') as late_since,
           pg_total_relation_size('inbox') as inbox, pg_total_relation_size('outbox') as outbox,
           exists (select from inbox where received_at < now() - make_interval(days => $1)) as forgets_late
"""
_PARITIES = """
    select s.cluster, s.stage,
           (select max(at) from parity_runs r where r.cluster = s.cluster and r.subject = 'mirror') as at
    from stages s where s.stage in ('mirror', 'live') order by s.cluster
"""
_KEYS = "select id, expires_at from api_keys where revoked_at is null and expires_at > now() order by expires_at"


async def examine(name: str, settings: ServiceSettings) -> list[Finding]:
    """All that can be seen with the service's own role."""
    findings = Findings(name)
    try:
        connection: asyncpg.Connection[Any] = await asyncpg.connect(
            asyncpg_url(settings.database_url), timeout=5, command_timeout=20
        )
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        detail = f"does not let it in ({type(error).__name__})"
        variable = f"TRABOULE_{name.upper()}_DATABASE_URL"
        return [findings.fail("database", detail, f"is it running? is {variable} right? If not, {PREPARE}")]
    try:
        server = list(_server(findings, await _row(connection, _SERVER)))
        schema = await asyncio.to_thread(_schema, findings, name, settings)
        # Questions about tables that are not there would only hide what is wrong.
        if any(finding.state == "fail" for finding in schema):
            return [*server, *schema]
        return [*server, *schema, *await _content(findings, connection, settings)]
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return [findings.fail("database", f"stopped answering ({type(error).__name__})", "traboule doctor, once more")]
    finally:
        await connection.close(timeout=5)


async def disk() -> list[Finding]:
    """The disk of a database server on this machine, if an administrator's address is known; else nothing."""
    url = address(ADMIN)
    if url is None:
        return []
    findings = Findings("house")
    try:
        admin = await asyncpg.connect(asyncpg_url(url), timeout=5)
        try:
            folder = await admin.fetchval("select current_setting('data_directory')")
        finally:
            await admin.close(timeout=5)
        usage = await asyncio.to_thread(shutil.disk_usage, folder)
    except FileNotFoundError:
        return []  # the server is on another machine
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        mend = f"is {ADMIN} right? If it is, PostgreSQL's log says why: a full disk lets nobody new in"
        return [findings.warn("disk", f"it cannot be told ({type(error).__name__})", mend)]
    detail = f"{size(usage.free)} of {size(usage.total)} are free where PostgreSQL writes"
    if usage.free < NO_DISK:
        return [
            findings.fail(
                "disk", detail, "make room: a full disk takes nothing in. If PostgreSQL ended, start it again"
            )
        ]
    if usage.free < LITTLE_DISK * usage.total:
        return [findings.warn("disk", detail, "make room: a full disk stops PostgreSQL, and then everything waits")]
    return [findings.ok("disk", detail)]


async def _row(connection: asyncpg.Connection[Any], sql: str, *values: Any) -> asyncpg.Record:
    row = await connection.fetchrow(sql, *values)
    assert row is not None, "a select without a table has one row"
    return row


def _server(report: Findings, row: asyncpg.Record) -> Iterator[Finding]:
    # Ours is read after the answer came, so it is late by a round trip at most.
    skew = time.time() - row["now"].timestamp()
    if abs(skew) > SKEW_SECONDS:
        detail = f"this machine's clock is {span(abs(skew))} {'ahead of' if skew > 0 else 'behind'} the database's"
        yield report.warn("clock", detail, "let both follow NTP: what is older than a day, or kept for 90, goes by it")
    else:
        yield report.ok("clock", f"within {SKEW_SECONDS:.0f} s of this machine's")
    if row["superuser"]:
        detail = f"{row['role']} is a superuser, and could read every other service's database"
        yield report.warn("role", detail, f"{PREPARE}, and use the role that it makes")
    elif row["owner"] != row["role"]:
        detail = f"{row['role']} does not own the database ({row['owner']} does), so it cannot migrate it"
        yield report.warn("role", detail, f'alter database … owner to "{row["role"]}"')
    else:
        yield report.ok("role", f"{row['role']} owns its database")
    needed = EXTENSIONS.get(report.where, ())
    missing = [f"the extension {text} is missing" for text in needed if text not in row["extensions"]]
    if needed:
        yield from report.judged("extensions", missing, PREPARE, ", ".join(needed))
    detail = f"{row['connections']} of {row['most']} connections are in use"
    if row["connections"] > FEW_CONNECTIONS * row["most"]:
        yield report.warn("connections", detail, "raise PostgreSQL's max_connections, or run fewer replicas")
    else:
        yield report.ok("connections", detail)
    if (row["longest"] or 0) > LONG_SECONDS:
        detail = f"a transaction has been open for {span(row['longest'])}"
        yield report.warn("transactions", detail, "select pid, application_name, xact_start from pg_stat_activity")


def _schema(report: Findings, name: str, settings: ServiceSettings) -> list[Finding]:
    try:
        state = schema_state(name, settings)
    except UnknownRevisionError as error:
        return [report.fail("schema", str(error), "run a newer program")]
    mend = f"traboule migrate {name}"
    late = [report.warn("schema", text, f"{mend} --post, once no earlier version runs") for text in state.waiting]
    if state.newer is not None:
        late.append(report.warn("schema", state.newer, "start the newer program again, once it can run"))
    if late and not state.faults:
        return late
    return [*report.judged("schema", state.faults, mend, "as this program's"), *late]


async def _content(report: Findings, connection: asyncpg.Connection[Any], settings: ServiceSettings) -> list[Finding]:
    row = await _row(connection, _CONTENT, settings.inbox_days + 1)
    findings = [_backup(report, row["backup"]), _quarantine(report, row)]
    detail = f"inbox {size(row['inbox'])}, outbox {size(row['outbox'])}"
    if row["forgets_late"]:
        detail = f"ids of over {settings.inbox_days} days ago are still remembered: {detail}"
        findings.append(
            report.warn("inbox", detail, f"does {report.where} run all day? It forgets them little by little")
        )
    else:
        findings.append(report.ok("inbox", detail))
    parities = await connection.fetch(_PARITIES)
    findings += [
        _parity(report, f"{parity['cluster']}/{report.where}", parity["stage"], parity["at"]) for parity in parities
    ]
    if report.where == "membership":
        findings.append(_keys(report, await connection.fetch(_KEYS)))
    return findings


def _backup(report: Findings, at: datetime | None) -> Finding:
    detail = "none was ever noted" if at is None else f"the last was {ago(at)}"
    if at is None or datetime.now(UTC) - at > BACKUP_IS_OLD:
        return report.warn("backup", detail, "traboule backup FOLDER")
    return report.ok("backup", detail)


def _quarantine(report: Findings, row: asyncpg.Record) -> Finding:
    if row["late"]:
        detail = f"{row['late']:,} late messages wait for a person, the oldest from {ago(row['late_since'])}"
        return report.warn("quarantine", detail, "traboule quarantine list")
    return report.ok("quarantine", "empty")


def _parity(report: Findings, system: str, stage: str, at: datetime | None) -> Finding:
    detail = f"{system} ({stage}) was {'never compared' if at is None else f'compared {ago(at)}'}"
    if at is None or datetime.now(UTC) - at > PARITY_IS_OLD:
        return report.warn("parity", detail, f"traboule parity --as {system} EXPORT")
    return report.ok("parity", detail)


def _keys(report: Findings, keys: list[asyncpg.Record]) -> Finding:
    make = "traboule keys create --name NAME --role reader"
    if not keys:
        return report.warn("API keys", "none is usable: nobody can read at the gateway", make)
    soon = [key["id"] for key in keys if key["expires_at"] < datetime.now(UTC) + KEY_ENDS_SOON]
    if soon:
        return report.warn("API keys", f"end within {KEY_ENDS_SOON.days} days: {', '.join(soon)}", make)
    return report.ok("API keys", f"{len(keys)} are usable")
