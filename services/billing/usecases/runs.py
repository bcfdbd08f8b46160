"""Runs: prepared, looked at, approved by somebody else, issued. A second run writes nothing."""

from asyncio import to_thread
from collections.abc import Mapping
from datetime import date
from typing import Any, Literal
from uuid import uuid4

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.billing_documents import (
    Issued,
    NotIssued,
    OneRun,
    PreparedRun,
    ProposedDocument,
    RunArguments,
    Runs,
    RunShown,
)
from services.billing.documents.draft import Draft, total
from services.billing.documents.facturx import UnfitDocumentError
from services.billing.documents.repository import Issuing, keys_of
from services.billing.documents.trial import check
from services.billing.dues.case import Key
from services.billing.dues.repository import price_as_json
from services.billing.fees.pricing import Price
from services.billing.usecases.approval import approver, key_of, refuse_same_person
from services.billing.usecases.cases import Period, period
from services.billing.usecases.issuers import issuer_named, settings_on
from services.billing.usecases.issuing import (
    check_rules,
    issue,
    may_take_long,
    not_the_authority,
    take_turn,
    theirs,
    theirs_now,
)
from services.billing.usecases.proposals import Proposals, proposals
from services.operations.binding import Call, RefusedError
from shared.runtime.clock import Clock

_PREPARE = """
    insert into runs (run_id, issuer, first, digest, documents, total, prepared_by, reason, prepared_key)
    values ($1::uuid, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_APPROVE = "update runs set approved_by = $2, approved_key = $3, approved_at = now() where run_id = $1::uuid"
_DONE = "update runs set issued_by = $2, issued_at = now() where run_id = $1::uuid"
_RUNS = """
    select run_id::text, issuer, first, documents, total, prepared_by, prepared_at, approved_by, approved_at, issued_by,
           issued_at, digest, prepared_key
    from runs where ($1::text is null or issuer = $1) and ($2::uuid is null or run_id = $2::uuid)
    order by prepared_at desc limit 200
"""
_FREEZE = """
    insert into dues (issuer, cluster, record_id, first, grid_id, price)
    select $1, cluster, record_id, $2, grid_id, price
    from unnest($3::text[], $4::text[], $5::json[], $6::uuid[]) as n (cluster, record_id, price, grid_id)
    on conflict do nothing
"""


_OURS = ("digest", "prepared_key")
"""Columns that are not answered."""


async def runs(call: Call[Any]) -> Runs:
    """Runs, the newest first."""
    return Runs(items=[_shown(row) for row in await _rows(call.uow.connection, call.arguments.issuer)])


async def one_run(call: Call[OneRun]) -> PreparedRun:
    """A run, with the documents that would be issued now."""
    row = await _run(call)
    found = await _proposed(call, row["issuer"], row["first"])
    return _prepared(row, found)


async def prepare_run(call: Call[RunArguments]) -> PreparedRun:
    """Work out what must be issued for a period, and keep that it was looked at so."""
    asked = call.arguments
    found = await _proposed(call, asked.issuer, asked.first)
    run_id = str(uuid4())
    numbers = (len(found.drafts), total(found.drafts))
    values = (run_id, asked.issuer, asked.first, found.digest, *numbers, call.author, call.reason, key_of(call))
    await call.uow.connection.exec_driver_sql(_PREPARE, values)
    [row] = await _rows(call.uow.connection, None, run_id)
    return _prepared(row, found)


async def approve_run(call: Call[OneRun]) -> RunShown:
    """Approve what was prepared, and what both schematrons let pass: by somebody else, who may approve so much."""
    row = await _run(call)
    if row["approved_at"] is not None:
        raise RefusedError("run-state", f"it was approved by {row['approved_by']} already")
    settings = settings_on(issuer_named(call.uow.issuers, row["issuer"]), row["first"])
    refuse_same_person(call, row["prepared_by"], row["prepared_key"], "prepared")
    by = approver(call, settings, row["total"])
    found = await _proposed(call, row["issuer"], row["first"])
    _refuse_changed(found, row)
    await check_rules(call, found.drafts, settings)
    await call.uow.connection.exec_driver_sql(_APPROVE, (row["run_id"], call.author, by.key_id))
    return _shown(await _run(call))


async def issue_run(call: Call[OneRun]) -> Issued:
    """Issue just what was approved; nothing if what is owed has changed since."""
    connection = call.uow.connection
    row = await _run(call)
    await take_turn(connection, row["issuer"])
    row = await _run(call)
    if row["approved_at"] is None:
        raise RefusedError("run-state", "nobody has approved it: see `traboule billing approve-run`")
    if row["issued_at"] is not None:
        raise RefusedError("run-state", f"it was issued on {row['issued_at']:%Y-%m-%d} already")
    issuer = issuer_named(call.uow.issuers, row["issuer"])
    not_ours = await theirs(connection, issuer.clusters)
    whole = await period(connection, issuer, row["first"])
    settings = settings_on(issuer, Clock().today() if issuer.on(Clock().today()) else row["first"])
    found = await proposals(connection, whole, settings, not_ours)
    _refuse_changed(found, row)
    _refuse_theirs(found)
    await may_take_long(connection)
    try:
        await to_thread(check, found.drafts, settings)
    except UnfitDocumentError as error:
        raise RefusedError("document-invalid", str(error)) from None
    await _freeze(connection, whole, found.prices, keys_of(found.drafts))
    by = Issuing(issuer=issuer.code, settings=settings, author=call.author, run_id=row["run_id"])
    numbers = sorted(await issue(call.uow, by, found.drafts))
    await connection.exec_driver_sql(_DONE, (row["run_id"], call.author))
    return Issued(run_id=row["run_id"], documents=len(numbers), total=total(found.drafts), numbers=numbers[:1000])


def _refuse_changed(found: Proposals, row: Mapping[str, Any]) -> None:
    """Raises RefusedError."""
    if found.digest != row["digest"]:
        raise RefusedError("run-changed", "what is owed has changed since it was prepared: prepare another run")


def _refuse_theirs(found: Proposals) -> None:
    """Raises RefusedError where nothing is left to issue because former systems bill the members."""
    if found.theirs and not found.drafts:
        raise not_the_authority(found.theirs)


async def _proposed(call: Call[Any], issuer_code: str, first: date) -> Proposals:
    issuer = issuer_named(call.uow.issuers, issuer_code)
    settings = settings_on(issuer, first)
    whole = await period(call.uow.connection, issuer, first)
    not_ours = await theirs_now(call.uow.connection, issuer.clusters)
    return await proposals(call.uow.connection, whole, settings, not_ours)


async def _freeze(
    connection: AsyncConnection, of: Period, prices: Mapping[Key, tuple[str, Price]], keys: list[Key]
) -> None:
    """Fix the prices of what is billed for the first time."""
    fresh = [key for key in keys if key in prices and key not in of.frozen]
    documents = [orjson.dumps(price_as_json(prices[key][1])).decode() for key in fresh]
    by_grid = [prices[key][0] for key in fresh]
    columns = ([key.cluster for key in fresh], [key.record_id for key in fresh], documents, by_grid)
    await connection.exec_driver_sql(_FREEZE, (of.issuer.code, of.first, *columns))


async def _rows(connection: AsyncConnection, issuer: str | None, run_id: str | None = None) -> list[dict[str, Any]]:
    rows = await connection.exec_driver_sql(_RUNS, (issuer, run_id))
    return [{**row, "digest": bytes(row["digest"])} for row in rows.mappings()]


async def _run(call: Call[Any]) -> dict[str, Any]:
    """Raises RefusedError."""
    rows = await _rows(call.uow.connection, None, call.arguments.run_id)
    if not rows:
        raise RefusedError("run-unknown", "there is no such run: list them with `traboule billing runs`")
    return rows[0]


def _shown(row: Mapping[str, Any]) -> RunShown:
    return RunShown(state=_state(row), **{name: value for name, value in row.items() if name not in _OURS})


def _state(row: Mapping[str, Any]) -> Literal["prepared", "approved", "issued"]:
    reached: Mapping[str, Any] = {"issued": row["issued_at"], "approved": row["approved_at"], "prepared": True}
    return next(state for state in ("issued", "approved", "prepared") if reached[state])


def _prepared(row: Mapping[str, Any], found: Proposals) -> PreparedRun:
    return PreparedRun(
        **_shown(row).model_dump(),
        unchanged=row["digest"] == found.digest,
        proposed=[_document(draft) for draft in found.drafts],
        held_back=[
            *(NotIssued(record=str(key), why=problem) for key, problem in found.held_back),
            *(NotIssued(record=str(key), why=reason.sentence()) for key, reason in found.doubts),
        ],
    )


def _document(draft: Draft) -> ProposedDocument:
    return ProposedDocument(
        record=str(draft.key),
        name=str(draft.buyer.get("name", "")),
        kind=draft.kind,
        amount=draft.gross,
        lines=[line.label for line in draft.lines],
        why=draft.why,
    )
