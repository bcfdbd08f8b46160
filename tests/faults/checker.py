"""What must hold once all is quiet: sent ⊆ applied ∪ parked, each effect once, the same end as an undisturbed run."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import aio_pika
import asyncpg

from deploy.provisioning import definitions
from services import SERVICES
from tests.faults.generator import Workload
from tests.support.emptying import EMPTY

QUIET_SECONDS = 90.0
MESSAGING = {"inbox", "outbox", "dead_letters"}
RECOGNITION = {"match_state", "match_features", "match_keys", "match_classes", "match_pending"}
"""Numbered in the order of arrival; the pairs that they lead to are compared."""
NOT_COMPARED = {
    "alembic_version", "record_history", "identity_history", "api_keys", "member_records", "merge_conflicts",
    "conflict_answers", "picture_versions", "section_versions", "section_changes", "contact_versions",
    "contact_changes", "consent_history", "suppressions", "suppression_records", "mail_databases", "write_access",
    "contact_keys", "waiting_announced", "waiting_counts", "daily_statistics",
    *RECOGNITION, *MESSAGING,
}  # fmt: skip
"""Tables whose rows depend on the way, not on the end: how many versions were skipped, when something was parked.

Suppressions are hashed with a secret of each installation. Of what is not compared with an undisturbed run, members and
conflicts are compared between the services.
"""
SHOWN_CONFLICTS = """
    select one ->> 'conflict_id' as conflict_id
    from views, json_array_elements(convert_from(document, 'UTF8')::json -> 'conflicts') as one
"""
_DESCRIBED = """
    case when (document ->> 'removed')::boolean
    then jsonb_build_array(cluster, record_id, document -> 'own')
    else to_jsonb(t) - 'version' || jsonb_build_object('document', document::jsonb - 'version') end
"""
# A card's opt-out is suppressed for good, if membership described the record while it had one.
VIEW = r"""regexp_replace(convert_from(document, 'UTF8'), ',"suppressed":\[[^]]*\]', '')"""
COMPARED = {
    "views": f"to_jsonb(t) - '{{updated_at,etag,document}}'::text[] || jsonb_build_object('document', {VIEW})",
    # Which member a removed record's id still answers with depends on what was there when it was removed.
    "source_records": "case when removed then to_jsonb(t) - 'member_id' else to_jsonb(t) end",
    # A section or a description is numbered by how often it was announced.
    "described_records": "to_jsonb(t) - 'version'",
    "related": """
        case when kind = 'preferences' and not document::jsonb ?| '{in_force,decisions}' then null
        when kind in ('account', 'participation', 'preferences')
        then to_jsonb(t) - '{version,digest}'::text[]
            || jsonb_build_object('document', document::jsonb - '{version,suppressed}'::text[])
        else to_jsonb(t) end
    """,
    # Nor is what is shown of the member of a removed record.
    "descriptions": _DESCRIBED,
    "contacts": _DESCRIBED,
}
MARKS = {"membership": "section_changes union all select 1 from contact_changes union all select 1 from review_changes"}
"""What a task has still to see to; where it is more than ``section_changes``."""


@dataclass(frozen=True)
class End:
    """Where a run ended: each table's rows by service, and what was parked."""

    tables: dict[str, Counter[str]]
    views: dict[str, str]
    parked: Counter[tuple[str, str, str, str]]


class Checker:
    """Looks at the services' databases as the administrator does."""

    def __init__(self, database_url: str, broker_url: str, management_url: str, vhost: str) -> None:
        self._admin_url = database_url
        self._broker_url = broker_url
        self._management_url = management_url
        self._vhost = quote(vhost, safe="")

    # --- quiet -----------------------------------------------------------------------------------------------------

    def wait_until_quiet(self, workload: Workload, *, seconds: float = QUIET_SECONDS) -> None:
        """Return once everything sent has arrived, nothing is under way, and no queue holds anything."""
        deadline = time.monotonic() + seconds
        before: object = None
        while True:
            state = asyncio.run(self._counts())
            left = self._left() if state == before and self._missing_nothing(workload, state) else None
            if left is not None and not left:
                return
            if time.monotonic() > deadline:
                raise AssertionError(f"not quiet after {seconds:.0f} s: {state}; queues: {self._left()}")
            before = state
            time.sleep(0.25)

    def _missing_nothing(self, workload: Workload, state: Mapping[str, tuple[int, ...]]) -> bool:
        for service in SERVICES:
            applied, waiting, parked, _ = state[service]
            if applied < len(workload.sound[service]) or waiting or parked < workload.parked(service):
                return False
        return True

    def _left(self) -> dict[str, int]:
        """Messages in any queue, retry queues and those of last resort included.

        The management API counts those in a consumer's hand too, but seconds late; AMQP counts the others as they are.
        """
        queues = definitions.call(self._management_url, "GET", f"/api/queues/{self._vhost}?columns=name,messages")
        counted = {queue["name"]: queue.get("messages", -1) for queue in queues}
        ready = asyncio.run(self._ready(list(counted)))
        return {name: count for name in counted if (count := max(counted[name], ready[name], key=abs))}

    async def _ready(self, names: list[str]) -> dict[str, int]:
        async with await aio_pika.connect(self._broker_url, timeout=10) as connection:
            channel = await connection.channel()
            queues = [await channel.declare_queue(name, passive=True) for name in names]
            return {queue.name: queue.declaration_result.message_count or 0 for queue in queues}

    async def _counts(self) -> dict[str, tuple[int, ...]]:
        counts = """
            select (select count(*) from inbox),
                   (select count(*) from outbox) + (select count(*) from (select 1 from {marks}) m),
                   (select count(*) from dead_letters),
                   (select sum(count) from dead_letters)
        """
        rows = await asyncio.gather(
            *(self._fetch(service, counts.format(marks=MARKS.get(service, "section_changes"))) for service in SERVICES)
        )
        return {service: tuple(row[0]) for service, row in zip(SERVICES, rows, strict=True)}

    # --- proofs ----------------------------------------------------------------------------------------------------

    def prove(self, workload: Workload) -> End:
        """Check all that can be checked of one run by itself."""
        return asyncio.run(self._prove(workload))

    async def _prove(self, workload: Workload) -> End:
        parked = Counter[tuple[str, str, str, str]]()
        tables: dict[str, Counter[str]] = {}
        for service in SERVICES:
            inbox = {row["message"] for row in await self._fetch(service, "select message from inbox")}
            letters = await self._fetch(service, "select queue, message_id, body, reason, status from dead_letters")
            names = {row["message_id"] for row in letters}
            sound, poison = workload.sound[service], workload.poison.get(service, set[str]())
            assert not sound - inbox, f"{service}: lost {sorted(sound - inbox)[:5]}"
            assert not poison & inbox, f"{service}: applied poison {sorted(poison & inbox)}"
            unparked = {name.split()[1] for name in poison} - names
            assert not unparked, f"{service}: poison neither applied nor parked: {sorted(unparked)}"
            assert {row["status"] for row in letters} <= {"parked"}
            parked.update((service, row["queue"], sha256(row["body"]).hexdigest(), row["reason"]) for row in letters)
            assert not await self._fetch(service, "select * from outbox"), f"{service}: the outbox is not empty"
            for table in await self._tables(service):
                tables[f"{service}.{table}"] = await self._rows(service, table)
        bad = {message.message_id for message in workload.bad_messages}
        assert all(count == 1 for count in parked.values()), f"parked twice: {parked.most_common(3)}"
        assert len(parked) == len(bad) + len(workload.bad_events), f"parked: {sorted(parked)}"
        await self._prove_history(workload)
        await self._prove_that_all_follow()
        views = await self._fetch("membership", f"select member_id::text, {VIEW} as document from views")
        shown = {row["member_id"]: sha256(row["document"].encode()).hexdigest() for row in views}
        return End(tables, shown, parked)

    async def _prove_history(self, workload: Workload) -> None:
        """A record's history has each version once (twice, where it was written twice), and only ever moves on."""
        rows = await self._fetch(
            "membership", "select cluster, record_id, version, what from record_history order by id"
        )
        history: dict[tuple[str, str], list[tuple[int, str]]] = {}
        for row in rows:
            history.setdefault((row["cluster"], row["record_id"]), []).append((row["version"], row["what"]))
        for record, steps in history.items():
            versions = [version for version, _ in steps]
            assert versions == sorted(versions), f"{record}: went back: {steps}"
            assert max(Counter(versions).values()) <= 2, f"{record}: told more than once: {steps}"
            theirs = False
            for _, what in steps:
                assert what == ("removed" if what == "removed" else "changed" if theirs else "recorded"), (
                    record,
                    steps,
                )
                theirs = what != "removed"

    async def _prove_that_all_follow(self) -> None:
        """Every service knows whose each record is, and which conflicts there are, as membership does."""
        records = await self._fetch(
            "membership",
            "select cluster, record_id, own_id::text, member_id::text from source_records where not removed",
        )
        for service in ("billing", "events", "communications"):
            rows = await self._fetch(service, "select cluster, record_id, member_id::text from member_records")
            known = {(row["cluster"], row["record_id"]): row["member_id"] for row in rows}
            for row in records:
                member_id = known.get((row["cluster"], row["record_id"]), row["own_id"])
                assert member_id == row["member_id"], f"{service}: {row} is a part of {member_id}"
        raised: dict[str, set[str]] = {"billing": set(), "events": set()}
        for row in await self._fetch("membership", "select conflict_id, responsible, gone_at from merge_conflicts"):
            if row["gone_at"] is None:
                raised[row["responsible"]].add(row["conflict_id"])
        shown = await self._fetch("membership", SHOWN_CONFLICTS)
        assert {row["conflict_id"] for row in shown} == raised["billing"] | raised["events"]
        answers = await self._fetch("membership", "select conflict_id, state from conflict_answers")
        answered = {row["conflict_id"] for row in answers if row["state"] != "gone"}
        for service, conflicts in raised.items():
            rows = await self._fetch(service, "select conflict_id from merge_conflicts where state <> 'gone'")
            assert {row["conflict_id"] for row in rows} == conflicts, f"{service}: other conflicts than membership's"
            assert conflicts <= answered, f"{service} did not answer about {sorted(conflicts - answered)}"

    # --- reading ---------------------------------------------------------------------------------------------------

    async def _tables(self, service: str) -> list[str]:
        rows = await self._fetch(service, "select tablename from pg_tables where schemaname = 'public' order by 1")
        return [row["tablename"] for row in rows if row["tablename"] not in NOT_COMPARED]

    async def _rows(self, service: str, table: str) -> Counter[str]:
        kept = COMPARED.get(table, "to_jsonb(t)")
        rows = await self._fetch(service, f'select ({kept})::text as row from "{table}" t')
        return Counter(row["row"] for row in rows if row["row"] is not None)

    async def _fetch(self, service: str, query: str) -> list[Any]:
        connection = await asyncpg.connect(self.database_url(service), timeout=10)
        try:
            return await connection.fetch(query)
        finally:
            await connection.close()

    def database_url(self, service: str) -> str:
        """A service's database, as the administrator."""
        return urlunsplit(urlsplit(self._admin_url)._replace(path=f"/traboule_{service}"))

    # --- a clean start ---------------------------------------------------------------------------------------------

    def clear(self) -> None:
        """Empty every table and every queue; nothing may be running that would fill them again."""
        asyncio.run(self._empty())
        for queue in definitions.call(self._management_url, "GET", f"/api/queues/{self._vhost}?columns=name"):
            name = quote(queue["name"], safe="")
            definitions.call(self._management_url, "DELETE", f"/api/queues/{self._vhost}/{name}/contents")

    async def _empty(self) -> None:
        for service in SERVICES:
            await self._fetch(service, EMPTY)


def assert_same_end(end: End, undisturbed: End) -> None:
    """Byte for byte."""
    assert end.views.keys() == undisturbed.views.keys(), "other members than undisturbed"
    differ = sorted(member for member, sha in end.views.items() if undisturbed.views[member] != sha)
    assert not differ, f"{len(differ)} views differ: {differ[:3]}"
    for table, rows in undisturbed.tables.items():
        more, less = end.tables[table] - rows, rows - end.tables[table]
        assert not more, f"{table}: not as undisturbed: {sorted(more)[:2]}, instead of {sorted(less)[:2]}"
        assert not less, f"{table}: rows missing: {sorted(less)[:3]}"
    assert end.parked == undisturbed.parked
