"""A section of the consolidated view: all that a service states of one source record, by rules of its own.

Billing states the account of a record, for example. Membership embeds it, and adds up over the records of a member.

- **Marks.** A trigger on each mirror table writes the source records that a change concerns into ``section_changes``,
  in the transaction of the change. So it does not matter which program wrote: a replica of the version before, which
  knows no sections, leaves its marks for us.
- **Statements.** A handler takes the marks of its own transaction and states these records. Marks that others left are
  stated by a task soon after (:func:`state_the_rest`): often, so that few are stated at once. Five seconds of marks at
  100 messages/s were a burst in all services that held up whatever came just then. While many messages come they go
  first, for half a minute at most: an import can be read an eighth sooner.
- **Turns.** One transaction at a time saves and states (an advisory lock, which the triggers take as well). Else a
  registration and its gathering, saved by two transactions at once, would not know of each other.
- **Versions.** ``section_versions`` numbers the statements of each record, so a larger number never knows less. A
  statement that says nothing new is not made.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from schemas.base import AnnouncedRecord
from schemas.envelope import Envelope, digest_of, to_json
from services.common.republish import CAUSE, PAGE, Page, Place, Republisher, page_of
from shared.messaging.publishing import publish
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.batches import transposed
from shared.persistence.statements import execute, fetch, fetch_value

STATE_EVERY: Final = 0.5
"""Seconds after which marks are stated that no handler took."""
YIELDS_FOR: Final = 30.0
"""Seconds that they wait at most while many messages come: what is read first is what the messages say."""

_TURN = "select pg_advisory_xact_lock(hashtext('sections'))"


class Record(NamedTuple):
    """A source record: its cluster, and its id in the cluster's former membership system."""

    cluster: str
    record_id: str


Compose = Callable[[AsyncConnection, Sequence[Record]], Awaitable[Mapping[Record, AnnouncedRecord]]]
"""What a service states of each of these records now, under version 0."""


@dataclass(frozen=True, slots=True)
class Section:
    """``name`` is for operators, ``fact`` is what is announced; ``compose`` reads rows and applies the rules.

    ``tables`` is what its two tables are called after. A second section of a service has two of its own: a replica of
    the version before, which does not know it, would take its marks and state nothing.
    """

    name: str
    fact: type[AnnouncedRecord]
    compose: Compose
    tables: str = "section"

    @property
    def take_own(self) -> str:
        """SQL that takes the marks of its own transaction."""
        return f"delete from {self.tables}_changes where transaction = txid_current() returning cluster, record_id"

    @property
    def any_marks(self) -> str:
        """SQL that tells whether anything is to be stated."""
        return f"select exists (select from {self.tables}_changes)"

    @property
    def take_rest(self) -> str:
        """SQL that takes the oldest marks of any."""
        return f"""
            delete from {self.tables}_changes
            where id = any(array(select id from {self.tables}_changes order by id limit {PAGE} for update skip locked))
            returning cluster, record_id
        """

    @property
    def read(self) -> str:
        """SQL for what was stated last of these records."""
        return f"""
            select v.cluster, v.record_id, v.version, v.stated
            from unnest($1::text[], $2::text[]) as n (cluster, record_id)
            cross join lateral
                (select * from {self.tables}_versions where (cluster, record_id) = (n.cluster, n.record_id) offset 0) v
        """

    @property
    def save(self) -> str:
        """SQL that keeps what is stated now."""
        return f"""
            insert into {self.tables}_versions (cluster, record_id, version, stated)
            select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[])
            on conflict (cluster, record_id) do update set version = excluded.version, stated = excluded.stated
        """

    @property
    def after(self) -> str:
        """SQL for the next records that were ever stated."""
        return f"""
            select cluster, record_id from {self.tables}_versions where (cluster, record_id) > ($1, $2)
            order by cluster, record_id limit {PAGE}
        """


def section_tables(metadata: sa.MetaData, name: str = "section") -> None:
    """Define both tables in a service's metadata, so that its migrations own them."""
    sa.Table(
        f"{name}_versions",
        metadata,
        sa.Column("cluster", sa.Text, primary_key=True),
        sa.Column("record_id", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False, server_default="0", comment="of the newest statement"),
        sa.Column("stated", sa.LargeBinary, comment="digest of what was stated last"),
    )
    sa.Table(
        f"{name}_changes",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("cluster", sa.Text, nullable=False),
        sa.Column("record_id", sa.Text, nullable=False),
        sa.Column("transaction", sa.BigInteger, nullable=False, server_default=sa.text("txid_current()")),
        sa.Index(f"{name}_changes_by_transaction", "transaction"),
    )


async def serialise_writers(connection: AsyncConnection) -> None:
    """Wait until no other transaction saves or states; ours then sees all that they committed."""
    await execute(connection, _TURN)


@asynccontextmanager
async def stating(uow: UnitOfWork, section: Section, messages: Sequence[Envelope[Any]]) -> AsyncGenerator[None]:
    """Save in this block what these messages say: at its end the records that the changes concern are stated."""
    await serialise_writers(uow.connection)
    yield
    records = {Record(*row) for row in await fetch(uow.connection, section.take_own)}
    causes = {
        Record(message.cluster, getattr(message.data, "record_id", "")): message.correlationid or message.id
        for message in reversed(messages)
    }
    first = messages[0].correlationid or messages[0].id
    ordered = sorted(records)
    for begin in range(0, len(ordered), PAGE):
        page = set(ordered[begin : begin + PAGE])
        await _state(uow, section, page, lambda record: causes.get(record, first))


async def state_the_rest(
    section: Section, unit_of_work: Callable[[AsyncConnection], UnitOfWork], engine: AsyncEngine
) -> None:
    """State the records whose marks nobody took: those of the version before, and of an upgrade.

    Where there are none it takes no turn: handlers do not wait for it.
    """
    async with engine.connect() as connection:
        if not await fetch_value(connection, section.any_marks):
            return
    taken = PAGE
    while taken == PAGE:
        async with engine.begin() as connection:
            uow = unit_of_work(connection)
            await serialise_writers(connection)
            rows = await fetch(connection, section.take_rest)
            taken = len(rows)
            await _state(uow, section, {Record(*row) for row in rows}, lambda _: None)
            await uow.outbox.flush(connection)


def statements(section: Section) -> Republisher:
    """What was stated of each record, told again; one that changed meanwhile gets a new version."""

    async def page(uow: UnitOfWork, after: Place | None) -> Page:
        await serialise_writers(uow.connection)
        rows = await fetch(uow.connection, section.after, after or ("", ""))
        await _state(uow, section, {Record(*row) for row in rows}, lambda _: CAUSE, again=True)
        return page_of(len(rows), tuple(rows[-1]) if rows else None)

    return Republisher(section.name, f"select count(*) from {section.tables}_versions", page)


async def _state(
    uow: UnitOfWork,
    section: Section,
    records: Iterable[Record],
    cause: Callable[[Record], str | None],
    *,
    again: bool = False,
) -> None:
    """Announce what is stated of these records now; what says nothing new only if it is to be told ``again``."""
    if not (ordered := sorted(records)):
        return
    keys = [record.cluster for record in ordered], [record.record_id for record in ordered]
    before = {
        Record(cluster, record_id): (version, None if stated is None else bytes(stated))
        for cluster, record_id, version, stated in await fetch(uow.connection, section.read, keys)
    }
    composed = await section.compose(uow.connection, ordered)
    digests = {record: digest_of(to_json(fact)) for record, fact in composed.items()}
    fresh = {record for record, digest in digests.items() if before.get(record, (0, None))[1] != digest}
    versions = {record: before.get(record, (0, None))[0] + (record in fresh) for record in ordered}
    await _save(uow, section, [(*record, versions[record], digests[record]) for record in ordered if record in fresh])
    facts = [
        (composed[record].model_copy(update={"version": versions[record]}), cause(record))
        for record in ordered
        if again or record in fresh
    ]
    publish(uow, section.fact, facts)


async def _save(uow: UnitOfWork, section: Section, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        await execute(uow.connection, section.save, transposed(rows))
