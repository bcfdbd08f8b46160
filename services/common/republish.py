"""Telling again what a service holds, as after a restore: whoever has it sees a duplicate, whoever lost it applies it.

A backup has the four databases as they were at one moment, but not what was on its way between them. So after a
restore each service tells all that it holds once more. Facts carry state and version, and what is told of a record
that did not change is the very same event, under the same id. Commands and requests are never told again.

Each service names what it tells in its definition, as ``republished``.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from schemas.base import Fact, MirroredRecord
from schemas.cutover import StageChanged
from schemas.envelope import CurrentRecord, Envelope, source_of
from schemas.stored import stored_fact
from services.cutover import stages
from services.cutover.moves import FACT_OF
from shared.messaging.publishing import publish, publish_mirrored
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.mirror import APPLIED_LATE, Mirror, as_fields

PAGE = 500
"""Rows that are told in one transaction: one message on the broker, or a few."""
CAUSE = "told-again"
"""The correlation id of what is told again: its first one is long gone."""

Place = tuple[str, ...]
"""The key of the last row of a page."""
_BEFORE_ALL = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Page:
    """How many rows were told, and where the next page begins after; None at the end."""

    published: int
    next: Place | None


@dataclass(frozen=True, slots=True)
class Republisher:
    """One kind of thing that a service tells. ``count`` is SQL for how many there are, about.

    ``page(uow, after)`` puts the facts of the next rows into the unit of work's outbox.
    """

    name: str
    count: str
    page: Callable[[Any, Place | None], Awaitable[Page]]


def page_of(rows: int, last: Place | None) -> Page:
    """A page of so many rows, of which ``last`` is the key of the last; a short one is the end."""
    return Page(rows, last if rows == PAGE else None)


def by_id(name: str, count: str, ids: str, announce: Callable[[Any, Sequence[str]], Awaitable[None]]) -> Republisher:
    """What has a UUID of its own. ``ids`` is SQL of the next :data:`PAGE` of them after ``$1``, in order, as texts.

    ``announce(uow, ids)`` puts the facts about these into the unit of work's outbox.
    """

    async def page(uow: UnitOfWork, after: Place | None) -> Page:
        some = list((await uow.connection.exec_driver_sql(ids, after or (_BEFORE_ALL,))).scalars())
        await announce(uow, some)
        return page_of(len(some), (some[-1],) if some else None)

    return Republisher(name, count, page)


def mirrored(table: sa.Table, recorded: type[Fact], changed: type[MirroredRecord]) -> Republisher:
    """What a mirror table holds, which has a column for each field of the fact."""
    key = Mirror(table).key
    sql = f"select cluster, {APPLIED_LATE}, {', '.join(recorded.model_fields)} from {rows_after(table, key)}"

    async def page(uow: UnitOfWork, after: Place | None) -> Page:
        rows = (await uow.connection.exec_driver_sql(sql, after or ("", ""))).mappings().all()
        publish_mirrored(
            uow, changed, [recorded_message(recorded, as_fields(table, recorded, {**row})) for row in rows]
        )
        return page_of(len(rows), (rows[-1]["cluster"], rows[-1][key]) if rows else None)

    return Republisher(table.name, f"select count(*) from {table.name}", page)


def rows_after(table: sa.Table, key: str) -> str:
    """The end of a statement that reads the next page of a table, in the order of its keys."""
    return f"{table.name} where (cluster, {key}) > ($1, $2) order by cluster, {key} limit {PAGE}"


def recorded_message(recorded: type[Fact], row: Mapping[str, Any]) -> CurrentRecord:
    """A row as the message that its former system recorded it with. It was checked when it came in."""
    fields = {name: value for name, value in row.items() if name not in ("cluster", APPLIED_LATE)}
    message = Envelope[Any].model_construct(
        specversion="1.0",
        id=CAUSE,
        source=source_of(row["cluster"], recorded.service),
        type=recorded.type_name(),
        data=stored_fact(recorded, fields),
        correlationid=CAUSE,
    )
    return message, row[APPLIED_LATE]


def to_live_systems(
    name: str, count: str, publish_after: Callable[[Any, str, str], Awaitable[Sequence[str]]]
) -> Republisher:
    """What former systems that are live are told of what is written here: they alone read it, one after the other.

    ``publish_after(uow, cluster, after)`` publishes the next :data:`PAGE` after an id, and returns their ids in order.
    """

    async def page(uow: UnitOfWork, after: Place | None) -> Page:
        cluster, item = after or ("", "")
        state = await stages.read_stages(uow.connection)
        live = sorted(name for name, at in state.items() if at.stage == "live" and name >= cluster)
        if not live:
            return Page(0, None)
        # Nobody may roll back while it is told; and the stage comes before the turn, as for every writer.
        at = (await stages.lock_stages(uow.connection, live[:1]))[live[0]]
        begin = item if live[0] == cluster else ""
        ids = await publish_after(uow, live[0], begin) if at.stage == "live" else []
        following = (live[1], "") if len(live) > 1 else None
        return Page(len(ids), (live[0], ids[-1]) if len(ids) == PAGE else following)

    return Republisher(name, count, page)


def stages_of(service: str) -> Republisher:
    """Where each cluster's former system for this service stands."""
    fact = FACT_OF[service]

    async def page(uow: UnitOfWork, _: Place | None) -> Page:
        result = await stages.read_stages(uow.connection)
        publish(uow, fact, [(_stage(fact, cluster, at), CAUSE) for cluster, at in sorted(result.items())])
        return Page(len(result), None)

    return Republisher("stages", "select count(*) from stages", page)


def _stage(fact: type[StageChanged], cluster: str, at: stages.StageState) -> StageChanged:
    assert at.since is not None, "whoever moved did so at some time"
    assert at.by is not None
    return fact(version=at.epoch, cluster=cluster, stage=at.stage, since=at.since, by=at.by)
