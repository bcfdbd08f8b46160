"""Decisions about dues: who, why, and taken back with who and why."""

from typing import Any

from schemas.billing_decisions import Decided, Decisions, DecisionShown, OfRecord, OneDecision
from services.billing.dues import repository
from services.billing.dues.case import Decision, Key
from services.billing.money import to_cents
from services.operations.binding import Call, RefusedError

_NEEDS = {"release": ("last",), "remit": ("first", "amount"), "credit": ("first", "amount")}
"""What a kind cannot do without."""


async def decisions(call: Call[OfRecord]) -> Decisions:
    """Decisions ever made, of one record or of all."""
    rows = await repository.decisions(call.uow.connection, call.arguments.record)
    return Decisions(items=[DecisionShown(**row) for row in rows])


async def decide(call: Call[Decided]) -> DecisionShown:
    """Keep a decision; what is owed follows it from now on."""
    asked = call.arguments
    if missing := [name for name in _NEEDS.get(asked.kind, ()) if not getattr(asked, name)]:
        raise RefusedError("due-decision-invalid", f"{asked.kind} needs {' and '.join(missing)}")
    key = await record_named(call, asked.record)
    decision = Decision("", asked.kind, key, call.reason, asked.first, asked.last, to_cents(asked.amount))
    return await _shown(call, await repository.decide(call.uow.connection, decision, call.author))


async def take_back(call: Call[OneDecision]) -> DecisionShown:
    """Take a decision back; who and why is kept with it."""
    decision_id = call.arguments.decision_id
    if not await repository.take_back(call.uow.connection, decision_id, call.author, call.reason):
        raise RefusedError("due-decision-unknown", "no such decision is in force")
    return await _shown(call, decision_id)


async def _shown(call: Call[Any], decision_id: str) -> DecisionShown:
    [row] = await repository.decisions(call.uow.connection, decision_id=decision_id)
    return DecisionShown(**row)


async def record_named(call: Call[Any], record: str) -> Key:
    """The record of this name, which membership described. Raises RefusedError."""
    cluster, slash, record_id = record.partition("/")
    sql = "select exists (select from descriptions where cluster = $1 and record_id = $2)"
    known = await call.uow.connection.exec_driver_sql(sql, (cluster, record_id))
    if not slash or not known.scalar_one():
        raise RefusedError("billed-member-unknown", f"there is no record {record}; write it as cluster/id")
    return Key(cluster, record_id)
