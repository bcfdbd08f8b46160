"""The order in which transactions were committed, as the database itself tells it.

A deferred trigger is the last thing that a transaction does before its commit. There it takes a lock of its cluster,
which the database gives back after the commit, and only then a number: so of two transactions of one cluster, the one
with the smaller numbers was committed, and could be seen, before the other took its own. Nothing else orders them as
surely: clocks are read before a commit, and rows can be written long before it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import orjson

# The names of triggers that fire together give their order: the inbox, which has no cluster where staff speak, first.
INSTALL = """
    create table commits (
        number bigint generated always as identity primary key, cluster text, tx text not null, what text not null,
        row jsonb not null
    );
    create index on commits (cluster);
    create function note_commit() returns trigger language plpgsql as $$
    declare
        told jsonb := to_jsonb(new) - array['understood', 'body', 'received_at', 'at'];
        of_cluster text := coalesce(told ->> 'cluster', split_part(told ->> 'message', '/', 2));
    begin
        perform pg_advisory_xact_lock(hashtext('commits'), hashtext(of_cluster)) where of_cluster <> 'staff';
        insert into commits (cluster, tx, what, row)
        values (of_cluster, pg_current_xact_id()::text, tg_op || ' ' || tg_table_name, told);
        return null;
    end $$;
"""
WATCHED = ("inbox", "source_records", "record_changes", "quarantine", "stage_history")
_WATCH = """
    create constraint trigger note_commit after insert or update or delete on {table} deferrable initially deferred
    for each row execute function note_commit();
"""
_READ = "select cluster, tx, what, row::text from commits order by number"


@dataclass(slots=True)
class Transaction:
    """What one transaction wrote about one cluster, in the order in which it did."""

    inbox: list[str] = field(default_factory=list[str])
    writes: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    changes: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    kept: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    decided: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    moves: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def note(self, what: str, row: dict[str, Any]) -> None:
        """One row. Raises AssertionError for one that nobody may write."""
        match what:
            case "INSERT inbox":
                self.inbox.append(row["message"].partition(" ")[2])
            case "INSERT source_records" | "UPDATE source_records":
                self.writes.append(row)
            case "INSERT record_changes":
                self.changes.append(row)
            case "INSERT quarantine":
                self.kept.append(row)
            case "UPDATE quarantine":
                self.decided.append(row)
            case "INSERT stage_history":
                self.moves.append(row)
            case _:
                raise AssertionError(f"nobody may do this: {what}")


async def watch(connection: asyncpg.Connection[Any]) -> None:
    """Let the database tell."""
    await connection.execute(INSTALL + "".join(_WATCH.format(table=table) for table in WATCHED))


async def committed(connection: asyncpg.Connection[Any]) -> dict[str, list[Transaction]]:
    """Every transaction of each cluster, in the order of the commits."""
    result: defaultdict[str, dict[str, Transaction]] = defaultdict(dict)
    of_staff: list[tuple[str, str, dict[str, Any]]] = []
    whose: dict[str, str] = {}
    for cluster, tx, what, row in await connection.fetch(_READ):
        if cluster == "staff":
            of_staff.append((tx, what, orjson.loads(row)))
            continue
        whose[tx] = cluster
        result[cluster].setdefault(tx, Transaction()).note(what, orjson.loads(row))
    for tx, what, row in of_staff:
        # A command in the inbox, and nothing else of that transaction: it was taken in and not carried out.
        result[whose.get(tx, "staff")].setdefault(tx, Transaction()).note(what, row)
    return {cluster: list(transactions.values()) for cluster, transactions in result.items()}
