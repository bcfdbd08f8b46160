"""Who did what, and who looked at whom: rows that are only ever added, without any value.

A change is noted in its own transaction. Reads are noted after the answer, in batches: a process that is killed loses
those of the last second of people, and of the last minutes of API keys and of strangers, which are counted only.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from schemas.rights import Right
from services.gateway.auth.caller import Caller
from shared.messaging.failures import sqlstate
from shared.runtime.text import printable
from shared.runtime.waiting import wait_at_most

log = structlog.get_logger()

FLUSH_SECONDS: Final = 1.0
KEYS_FLUSH_SECONDS: Final = 300.0
LONGEST_ABOUT: Final = 500
"""Characters: an index takes 2,700 bytes."""
KEPT: Final = "12 months"
"""CNIL, Recommandation relative à la journalisation (2021): six to twelve months."""
MOST_WAITING: Final = 10_000
"""Reads of people that are kept in memory while the database is away; how many more there were stands in the log."""

_NOTE = """
    insert into access_audit (who, name, session, permission, about, cluster, outcome, reason, times)
    select * from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
                         $8::text[], $9::bigint[])
"""
_SEEN = """
    update sessions set seen_at = now() where number = any($1::bigint[]) and seen_at < now() - interval '1 minute'
"""
_FORGET = f"delete from access_audit where at < now() - interval '{KEPT}'"


@dataclass(frozen=True, slots=True)
class Access:
    """One use of a right. ``about`` names a member, a record or a route.

    ``outcome`` is done, asked, read, or the kind of a refusal.
    """

    caller: Caller
    right: str
    about: str
    cluster: str | None = None
    outcome: str = "done"
    reason: str | None = None

    def row(self, times: int = 1) -> tuple[Any, ...]:
        """As it is kept."""
        session = self.caller.session
        # An address may hold anything: what no database takes, or no index, would keep all that waits with it.
        about = printable(self.about)[:LONGEST_ABOUT]
        return (
            *(self.caller.key_id, self.caller.name, session and session.number, self.right, about, self.cluster),
            *(self.outcome, self.reason, times),
        )


async def note(connection: AsyncConnection, *accesses: Access) -> None:
    """Keep these in the transaction of what was done."""
    await _insert(connection, [access.row() for access in accesses])


async def forget(connection: AsyncConnection) -> int:
    """Forget what is older than twelve months, and return how many."""
    return (await connection.exec_driver_sql(_FORGET)).rowcount


_Waiting = tuple[dict[Any, Any], Any, tuple[Any, ...]]
"""Where it waits, under which key, and its row."""


class AuditQueue:
    """Reads and refusals on their way to the database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._by_people: dict[tuple[int, str, str, str], Access] = {}
        self._by_keys: Counter[tuple[str, str, str, str, str]] = Counter()
        self._seen: set[int] = set()
        self._beyond = 0
        self._closing = asyncio.Event()

    def read(self, caller: Caller, right: Right, about: str, route: str) -> None:
        """A read of persons' data. A key's are counted by route, a person's are named."""
        if caller.session is None:
            self._by_keys[caller.key_id, caller.name, right, route, "read"] += 1
        else:
            self._wait(Access(caller, right, about, outcome="read"), caller.session.number)

    def refused(self, caller: Caller, right: Right, route: str, kind: str) -> None:
        """Somebody asked for what they have no right to."""
        if caller.session is None:
            self._by_keys[caller.key_id, caller.name, right, route, kind] += 1
        else:
            self._wait(Access(caller, right, route, outcome=kind), caller.session.number)

    def turned_away(self, network: str, kind: str) -> None:
        """Somebody who is not known tried to come in: counted by network, for anybody may try as often as they like."""
        self._by_keys["nobody", "", "sign-in", network, kind] += 1

    def seen(self, caller: Caller) -> None:
        """A session is in use."""
        if caller.session is not None:
            self._seen.add(caller.session.number)

    def _wait(self, access: Access, session: int) -> None:
        if len(self._by_people) < MOST_WAITING:
            self._by_people[session, access.right, access.about, access.outcome] = access
        else:
            self._beyond += 1

    async def run(self) -> None:
        """Keep what comes, until ``close``."""
        flushes = 0
        while not self._closing.is_set():
            await wait_at_most(FLUSH_SECONDS, self._closing)
            flushes += 1
            keys = self._closing.is_set() or flushes % int(KEYS_FLUSH_SECONDS / FLUSH_SECONDS) == 0
            await self.flush(keys=keys)

    def close(self) -> None:
        """Let ``run`` keep what still waits, and end."""
        self._closing.set()

    async def flush(self, *, keys: bool) -> None:
        """Keep what waits; what cannot be kept now waits on. A row that no database takes is logged, and keeps none."""
        people, self._by_people = self._by_people, {}
        counted: Counter[tuple[str, str, str, str, str]] = Counter()
        if keys:
            counted, self._by_keys = self._by_keys, Counter()
        seen, self._seen = self._seen, set()
        if not people and not counted and not seen:
            return
        if self._beyond:
            log.error("audit.lost", reads=self._beyond)
            self._beyond = 0
        waiting: list[_Waiting] = [(people, key, access.row()) for key, access in people.items()]
        for key, times in counted.items():
            who, name, right, about, kind = key
            waiting.append((counted, key, (who, name, None, right, about, None, kind, None, times)))
        try:
            await self._keep_all(waiting, seen)
        except Exception as error:
            # Whatever it is, what waits is tried again: a trace that is lost would be noticed by nobody.
            log.warning("audit.waits", rows=len(people) + len(counted), error=type(error).__name__)
            self._by_people = people | self._by_people
            self._by_keys.update(counted)
            self._seen |= seen

    async def _keep_all(self, waiting: Sequence[_Waiting], seen: Collection[int]) -> None:
        """Together, or one by one where a row is wrong: it must hold back no other. What is kept waits no more."""
        try:
            await self._keep([row for _, _, row in waiting], seen)
        except DBAPIError as error:
            if not _is_of_a_row(error):
                raise
            for source, key, row in waiting:
                await self._keep_or_log(row)
                del source[key]
            await self._keep([], seen)

    async def _keep(self, rows: Sequence[tuple[Any, ...]], seen: Collection[int]) -> None:
        async with self._engine.begin() as connection:
            await _insert(connection, rows)
            await connection.exec_driver_sql(_SEEN, (sorted(seen),))

    async def _keep_or_log(self, row: tuple[Any, ...]) -> None:
        try:
            await self._keep([row], ())
        except DBAPIError as error:
            if not _is_of_a_row(error):
                raise
            log.error("audit.refused", key_id=row[0], right=row[3], error=type(error.orig).__name__)


def _is_of_a_row(error: DBAPIError) -> bool:
    """Whether a value is what the database refuses (SQLSTATE classes 22 and 23), and not that it is away."""
    return sqlstate(error).startswith(("22", "23"))


async def _insert(connection: AsyncConnection, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        await connection.exec_driver_sql(_NOTE, tuple(map(list, zip(*rows, strict=True))))
