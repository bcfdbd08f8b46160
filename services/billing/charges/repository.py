"""Charges as they are kept, and read with what was billed of them."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.billing_grids import Vat
from schemas.charges import RegistrationBilled, RegistrationPriced
from schemas.envelope import Envelope
from services.billing.charges.charge import Charge, Invoiced
from services.billing.dues.case import Key
from services.billing.mirror.repository import BillingUnitOfWork
from shared.messaging.publishing import publish
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.batches import newest_by, transposed
from shared.persistence.database import json_of, microseconds_now, rows_of

MOST: Final = 5_000
"""Charges that are read at most."""
_KEEP: Final = """
    insert into charges as kept (registration_id, version, cluster, title, day, record_cluster, record_id, name,
                                 email, seats, amount, ours)
    select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::date[], $6::text[], $7::text[],
                         $8::text[], $9::text[], $10::int[], $11::numeric[], $12::boolean[])
    on conflict (registration_id) do update
    set version = excluded.version, cluster = excluded.cluster, title = excluded.title, day = excluded.day,
        record_cluster = excluded.record_cluster, record_id = excluded.record_id, name = excluded.name,
        email = excluded.email, seats = excluded.seats, amount = excluded.amount, ours = excluded.ours
    where kept.version < excluded.version
"""
_READ: Final = """
    select c.registration_id::text, c.cluster, c.title, c.day, c.record_cluster, c.record_id, c.name, c.email,
           c.seats, c.amount, c.settled, c.references, c.ours, i.*
    from charges c
    left join lateral (
        select d.document_id::text, d.number, d.issuer, d.buyer, l.label, l.vat_regime, l.vat_rate, l.vat_code,
               l.account, l.amount - coalesce(n.net, 0), d.gross - coalesce(n.gross, 0) as left_of_it,
               array[d.number] || coalesce(n.numbers, '{}') as numbers
        from (select * from documents where charge_id = c.registration_id and corrects is null offset 0) d
        cross join lateral (select * from document_lines where document_id = d.document_id offset 0) l
        cross join lateral (
            select sum(net) as net, sum(gross) as gross, array_agg(number order by place) as numbers
            from documents where corrects = d.document_id
        ) n
    ) i on true
"""
_OPEN: Final = (
    _READ
    + """
    where ($1::text[] is null or c.cluster = any($1)) and ($2::uuid[] is null or c.registration_id = any($2))
      and (c.amount = coalesce(i.left_of_it, c.settled, 0) or (i.left_of_it is not null and c.amount > i.left_of_it))
          = $3
    order by c.day, c.registration_id limit $4
"""
)
_BY_ID: Final = _READ + " where c.registration_id = any($1::uuid[]) order by c.registration_id"
_LOCK: Final = """
    select registration_id from charges where registration_id = any($1::uuid[]) order by registration_id for update
"""
_SETTLE: Final = """
    update charges set settled = amount, settled_by = $2, settled_at = now(), "references" = "references" || $3::text
    where registration_id = $1::uuid
"""
_BUYERS: Final = """
    select d.cluster, d.record_id, d.document
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral (select * from descriptions where (cluster, record_id) = (n.cluster, n.record_id) offset 0) d
"""


async def keep_prices(uow: UnitOfWork, messages: Sequence[Envelope[RegistrationPriced]]) -> None:
    """Keep the newest price of each registration."""
    newest = newest_by(messages, lambda m: m.data.registration_id, lambda m: m.data.version)
    # In the order of their keys, so that two replicas lock rows in the same order.
    rows = [_columns(newest[key].data) for key in sorted(newest)]
    await uow.connection.exec_driver_sql(_KEEP, transposed(rows))


def _columns(fact: RegistrationPriced) -> tuple[Any, ...]:
    record = (fact.record.cluster, fact.record.record_id) if fact.record else (None, None)
    about = (fact.registration_id, fact.version, fact.cluster, fact.title, fact.day)
    return (*about, *record, fact.name, fact.email, fact.seats, fact.amount, fact.by_traboule)


async def charges(
    connection: AsyncConnection,
    clusters: Collection[str] | None,
    registrations: Collection[str] | None = None,
    *,
    done: bool = False,
) -> list[Charge]:
    """Charges of gatherings of these clusters, the earliest first: those that are done, or those that are not."""
    values = (_listed(clusters), _listed(registrations), done, MOST)
    return [_charge(*row) for row in rows_of(await connection.exec_driver_sql(_OPEN, values))]


async def charges_of(connection: AsyncConnection, registrations: Collection[str]) -> list[Charge]:
    """These charges, as far as there are any."""
    return [_charge(*row) for row in rows_of(await connection.exec_driver_sql(_BY_ID, (list(registrations),)))]


async def lock(connection: AsyncConnection, registrations: Collection[str]) -> None:
    """Keep these charges as they are until this transaction ends."""
    await connection.exec_driver_sql(_LOCK, (list(registrations),))


async def settle(connection: AsyncConnection, registration_id: str, author: str, reference: str) -> None:
    """Enter that all that is asked now was billed, or given back, elsewhere."""
    await connection.exec_driver_sql(_SETTLE, (registration_id, author, reference))


async def buyers_of(connection: AsyncConnection, records: Collection[Key]) -> dict[Key, dict[str, Any]]:
    """Whom an invoice names, for each of these records that membership described."""
    keys = [key.cluster for key in records], [key.record_id for key in records]
    rows = rows_of(await connection.exec_driver_sql(_BUYERS, keys))
    documents = {Key(cluster, record_id): json_of(document) for cluster, record_id, document in rows}
    return {key: document.get("own") or document.get("shown") or {} for key, document in documents.items()}


async def announce_billed(uow: BillingUnitOfWork, registrations: Collection[str], cause: str | None = None) -> None:
    """Tell events what was billed of these, when the transaction commits. Their rows are locked."""
    if not registrations:
        return
    version = await microseconds_now(uow.connection)
    facts = [
        RegistrationBilled(
            version=version,
            cluster=each.cluster,
            registration_id=each.registration_id,
            amount=each.billed,
            references=each.references,
        )
        for each in await charges_of(uow.connection, registrations)
    ]
    publish(uow, RegistrationBilled, [(fact, cause) for fact in facts])


def _listed(values: Collection[str] | None) -> list[str] | None:
    return None if values is None else list(values)


def _charge(
    registration_id: str, cluster: str, title: str, day: Any, of_cluster: str | None, record_id: str | None,
    name: str | None, email: str | None, seats: int, amount: Any, settled: Any, references: list[str], ours: bool,
    document_id: str | None, number: str, issuer: str, buyer: Any, label: str, regime: Any, rate: Any,
    vat_code: str | None, account: str, net: Any, gross: Any, numbers: list[str] | None,
) -> Charge:  # fmt: skip
    invoice = None
    if document_id is not None:
        invoice = Invoiced(
            document_id=document_id,
            number=number,
            issuer=issuer,
            buyer=json_of(buyer),
            label=label,
            vat=Vat(regime=regime, rate=rate, code=vat_code),
            account=account,
            net=net,
            gross=gross,
        )
    return Charge(
        registration_id=registration_id,
        cluster=cluster,
        title=title,
        day=day,
        record=Key(of_cluster, record_id) if of_cluster and record_id else None,
        name=name,
        email=email,
        seats=seats,
        amount=amount,
        settled=settled,
        references=(*references, *(numbers or ())),
        ours=ours,
        invoice=invoice,
    )
