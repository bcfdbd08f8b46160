"""Decisions about dues, and the prices at which periods were billed, as they are kept."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from services.billing.dues.case import Decision, Key
from services.billing.fees.pricing import Price, PricedLine
from services.billing.money import to_cents
from shared.persistence.database import json_of, rows_of

_DECIDE = """
    insert into due_decisions (decision_id, kind, cluster, record_id, first, last, amount, author, reason, line)
    values ($1::uuid, $2, $3, $4, $5, $6, $7, $8, $9, nullif($10, ''))
"""
_TAKE_BACK = """
    update due_decisions set taken_back_at = now(), taken_back_by = $2, taken_back_reason = $3
    where decision_id = $1::uuid and taken_back_at is null
"""
_DECISIONS = """
    select decision_id::text, kind, cluster || '/' || record_id as record, first, last, amount, author, reason, at,
           taken_back_by, taken_back_at, taken_back_reason, line
    from due_decisions
    where ($1::text is null or cluster || '/' || record_id = $1) and ($2::uuid is null or decision_id = $2::uuid)
    order by at desc, decision_id limit 1000
"""
_IN_FORCE = """
    select decision_id::text, kind, cluster, record_id, first, last, amount, reason, coalesce(line, '')
    from due_decisions where taken_back_at is null and cluster = any($1::text[])
"""
_FROZEN = "select cluster, record_id, grid_id::text, price from dues where issuer = $1 and first = $2"


async def decide(connection: AsyncConnection, decision: Decision, author: str) -> str:
    """Keep a decision; returns its id."""
    decision_id = str(uuid4())
    amount = Decimal(decision.cents).scaleb(-2)
    days = (decision.first, decision.last)
    values = (decision_id, decision.kind, *decision.key, *days, amount, author, decision.reason, decision.line)
    await connection.exec_driver_sql(_DECIDE, values)
    return decision_id


async def take_back(connection: AsyncConnection, decision_id: str, author: str, reason: str) -> bool:
    """Take a decision back; False if there is none in force under this id."""
    return (await connection.exec_driver_sql(_TAKE_BACK, (decision_id, author, reason))).rowcount == 1


async def decisions(
    connection: AsyncConnection, record: str | None = None, decision_id: str | None = None
) -> list[dict[str, Any]]:
    """Decisions ever made, the newest first."""
    rows = await connection.exec_driver_sql(_DECISIONS, (record, decision_id))
    return [{**row} for row in rows.mappings()]


async def decisions_in_force(connection: AsyncConnection, clusters: Collection[str]) -> Mapping[Key, list[Decision]]:
    """Decisions by record."""
    by_record: defaultdict[Key, list[Decision]] = defaultdict(list)
    for decision_id, kind, cluster, record_id, first, last, amount, reason, line in rows_of(
        await connection.exec_driver_sql(_IN_FORCE, (list(clusters),))
    ):
        key = Key(cluster, record_id)
        by_record[key].append(Decision(decision_id, kind, key, reason, first, last, to_cents(amount), line))
    return by_record


async def frozen_prices(connection: AsyncConnection, issuer: str, first: date) -> Mapping[Key, tuple[str, Price]]:
    """By record the grid and the price at which this period was billed first."""
    rows = rows_of(await connection.exec_driver_sql(_FROZEN, (issuer, first)))
    return {Key(cluster, record_id): (grid_id, price_from(price)) for cluster, record_id, grid_id, price in rows}


def price_from(document: Any) -> Price:
    """A price as it was kept: what each line costs, without the reasons, which the document has."""
    lines = json_of(document)
    return Price(tuple(PricedLine(line["code"], line["cents"], line["once"]) for line in lines), ())


def price_as_json(price: Price) -> list[dict[str, Any]]:
    """A price as it is kept."""
    return [line._asdict() for line in price.lines]
