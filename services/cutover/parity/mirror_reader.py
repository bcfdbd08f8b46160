"""What a service holds of one cluster, whole, as the facts that its former system recorded; page by page.

Each service names its kinds in its definition, as ``mirrored``.
"""

from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.base import Fact
from schemas.stored import stored_fact
from services.cutover.parity.compare import Money
from shared.persistence.mirror import as_fields

PAGE = 2_000


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record that a service mirrors.

    ``columns`` of ``table`` are SQL, which names a row ``m``; ``build`` makes the fact of them. ``present`` tells rows
    that are held from those that were removed. ``removal`` is the fact that takes a record away, ``adds_up`` lists
    that only ever grow, whichever telling is the newest. ``left_out`` are fields that no mirror keeps.
    """

    name: str
    fact: type[Fact]
    key: str
    columns: str
    table: str
    build: Callable[[Mapping[str, Any]], Fact]
    money: Money | None = None
    removal: type[Fact] | None = None
    adds_up: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    present: str = "true"


def mirrored(
    name: str,
    fact: type[Fact],
    table: sa.Table,
    *,
    money: Money | None = None,
    lists: Mapping[str, str] | None = None,
    adds_up: tuple[str, ...] = (),
    left_out: tuple[str, ...] = (),
) -> Kind:
    """A kind that has a mirror table with a column for each field; ``lists``: SQL for fields that lie elsewhere.

    The SQL of a list names the mirrored row ``m``.
    """
    key = next(column.name for column in table.primary_key if column.name != "cluster")
    elsewhere = {**(lists or {}), **dict.fromkeys(left_out, "null")}
    columns = [f"{elsewhere[field]} as {field}" if field in elsewhere else f"m.{field}" for field in fact.model_fields]

    def build(row: Mapping[str, Any]) -> Fact:
        # Checked when it came in. A list that grew over many tellings may be longer now than one may be.
        return stored_fact(fact, as_fields(table, fact, row))

    return Kind(name, fact, key, ", ".join(columns), table.name, build, money, adds_up=adds_up, left_out=left_out)


async def mirrored_records(connection: AsyncConnection, cluster: str, kind: Kind) -> AsyncGenerator[tuple[str, Fact]]:
    """Every record of this kind, by id. In a transaction of one snapshot, what is read is what was there at once."""
    after = ""
    sql = (
        f"select {kind.columns} from {kind.table} m where m.cluster = $1 and m.{kind.key} > $2 and {kind.present} "
        f"order by m.{kind.key} limit $3"
    )
    while True:
        rows = (await connection.exec_driver_sql(sql, (cluster, after, PAGE))).mappings().all()
        for row in rows:
            fact = kind.build({**row})
            after = getattr(fact, kind.key)
            yield after, fact
        if len(rows) < PAGE:
            return


async def read_mirror(
    connection: AsyncConnection, kind: Kind, records: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Fact]:
    """What is held of these records, each by its cluster and id; what is not held is missing."""
    named = sorted(records)
    sql = (
        f"select n.cluster as of_cluster, {kind.columns} from unnest($1::text[], $2::text[]) as n (cluster, id) "
        f"join {kind.table} m on m.cluster = n.cluster and m.{kind.key} = n.id where {kind.present}"
    )
    rows = await connection.exec_driver_sql(sql, ([cluster for cluster, _ in named], [key for _, key in named]))
    result: dict[tuple[str, str], Fact] = {}
    for row in rows.mappings().all():
        fields = {**row}
        cluster = fields.pop("of_cluster")
        fact = kind.build(fields)
        result[cluster, getattr(fact, kind.key)] = fact
    return result
