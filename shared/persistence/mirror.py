"""A mirror: one table that holds what former systems say of their own records, replaced only by newer versions.

Newer means a larger ``version``; between two writings of one version the larger digest wins. So duplicates,
reordering and replays end in the same rows.

What is held gives way to a late message that a person applies, whichever is newer (:meth:`Mirror.make_way`); that is
counted, so that whoever is told of the row knows which writing came after.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa
from pydantic import BaseModel, TypeAdapter
from sqlalchemy.dialects.postgresql import dialect
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.envelope import Envelope
from shared.persistence.batches import newest_by
from shared.persistence.database import json_of
from shared.persistence.statements import execute, fetch

R = TypeVar("R", bound=Envelope[Any])

APPLIED_LATE = "applied_late"


def mirror_columns(key: str) -> list[sa.Column[Any]]:
    """The columns that every mirror has; ``key`` names the former system's own id."""
    return [
        sa.Column("cluster", sa.Text, primary_key=True),
        sa.Column(key, sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        applied_late_column("late messages about it that a person applied; before each, what was held gave way"),
    ]


def applied_late_column(comment: str) -> sa.Column[Any]:
    """A count of applied late messages, which is nought where nobody names it."""
    return sa.Column(APPLIED_LATE, sa.BigInteger, nullable=False, server_default="0", comment=comment)


@dataclass(frozen=True, slots=True)
class Mirror:
    """Writes one mirror table, a batch in one statement. Columns take their values from the fact's fields.

    A column with ``info={"of": function}`` takes what the function makes of the fact.
    """

    table: sa.Table

    @property
    def key(self) -> str:
        """The column with the former system's own id."""
        return next(column.name for column in self.table.primary_key if column.name != "cluster")

    async def save(self, connection: AsyncConnection, messages: Sequence[R]) -> list[tuple[R, int]]:
        """Write those that are newer than what is there; returns them, one for each record.

        With each, how many late messages about its record were applied.
        """
        newest = self._newest(messages)
        # In the order of their keys, so that two replicas lock rows in the same order.
        ordered = [newest[record] for record in sorted(newest)]
        values = tuple(self._column(ordered, column) for column in _written(self.table))
        rows = await fetch(connection, _upsert(self.table, self.key), values)
        return [(newest[cluster, key], applied_late) for cluster, key, applied_late in rows]

    async def make_way(self, connection: AsyncConnection, cluster: str, key: str) -> None:
        """Let what is held of one record, if anything is, be older than whatever its former system says."""
        sql = (
            f"update {self.table.name} set version = 0, digest = '', {APPLIED_LATE} = {APPLIED_LATE} + 1 "
            f"where cluster = $1 and {self.key} = $2"
        )
        await execute(connection, sql, (cluster, key))

    def _newest(self, messages: Sequence[R]) -> dict[tuple[str, str], R]:
        key_of = attrgetter("cluster", f"data.{self.key}")
        return newest_by(messages, key_of, attrgetter("data.version", "digest"))

    def _column(self, messages: Sequence[Envelope[Any]], column: sa.Column[Any]) -> list[Any]:
        if column.name in ("cluster", "digest"):
            return [*map(attrgetter(column.name), messages)]
        if of := column.info.get("of"):
            return [of(message.data) for message in messages]
        values = map(attrgetter(f"data.{column.name}"), messages)
        if isinstance(column.type, sa.JSON):
            return [*map(_parts_as_json, values)]
        return [None if value is None else str(value) for value in values] if _is_sent_as_text(column) else [*values]


def _is_sent_as_text(column: sa.Column[Any]) -> bool:
    """Amounts: to take a Decimal apart costs the driver more than all other columns together."""
    return isinstance(column.type, sa.Numeric) and "of" not in column.info


def _parts_as_json(parts: Sequence[BaseModel]) -> str | None:
    """Nothing where there are none: so stand the rows of a version that knew no such parts."""
    trees = [part.model_dump(mode="json", exclude_defaults=True) for part in parts]
    return orjson.dumps(trees).decode() if trees else None


def as_fields(table: sa.Table, fact: type[BaseModel], row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a mirror as the fields of its fact: lists of parts stand there as JSON."""
    columns = {name for name, column in table.columns.items() if isinstance(column.type, sa.JSON)}
    lists = {name for name in columns & row.keys() if "of" not in table.columns[name].info}
    parts = {name: _adapter(fact, name).validate_python(json_of(row[name]) or ()) for name in lists}
    return {**row, **parts}


@cache
def _adapter(fact: type[BaseModel], field: str) -> TypeAdapter[Any]:
    kind: Any = fact.model_fields[field].annotation
    return TypeAdapter(kind)


def _written(table: sa.Table) -> list[sa.Column[Any]]:
    """The columns that a message fills."""
    return [column for column in table.columns if column.name != APPLIED_LATE]


_statements: dict[sa.Table, str] = {}


def _upsert(table: sa.Table, key: str) -> str:
    if table not in _statements:
        columns = _written(table)
        types = {c.name: c.type.compile(dialect()) for c in columns}
        sent = ("text" if _is_sent_as_text(c) else types[c.name] for c in columns)
        arrays = ", ".join(f"${n}::{type_}[]" for n, type_ in enumerate(sent, 1))
        values = ", ".join(f"{name}::{type_}" for name, type_ in types.items())
        changes = ", ".join(f"{c.name} = excluded.{c.name}" for c in columns if not c.primary_key)
        names = ", ".join(types)
        _statements[table] = (
            f"insert into {table.name} as held ({names}) select {values} from unnest({arrays}) as n ({names}) "
            f"on conflict (cluster, {key}) do update set {changes} "
            "where (held.version, held.digest) < (excluded.version, excluded.digest) "
            f"returning cluster, {key}, held.{APPLIED_LATE}"
        )
    return _statements[table]
