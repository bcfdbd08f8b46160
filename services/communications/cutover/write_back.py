"""Objections that were taken here, told to the former systems that know the record or the address.

One is confirmed when the former system says that objection itself: a consent of the record or of the address that is
refused, or an opt-out of the card. What was lifted need not be told.
"""

from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from schemas.communications_write_back import ObjectionWritten
from services.common.republish import CAUSE, PAGE, to_live_systems
from services.communications.consents.objections import CHANNELS, FROM_FORMER_SYSTEMS
from services.communications.consents.preferences import RESTRICTIONS
from services.communications.contacts.contact import key_of
from services.communications.cutover.way_back import TakenObjection, file_of, form_for, row_of
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.cutover import stages
from shared.messaging.publishing import publish
from shared.persistence.database import rows_of

WRITE_EVERY: Final = 10.0
"""Seconds after which a live former system is told of objections that were taken meanwhile."""
_OURS: Final = f"""
    s.lifted_at is null and s.reason in ('objection', 'complaint') and not starts_with(s.cause, '{FROM_FORMER_SYSTEMS}')
"""
# Of an address that no record of the cluster has: what its list knows, by the mails that went there. Of an address that
# nothing was ever sent to: the records that have it.
_TAKEN: Final = f"""
    with taken as (
        select s.suppression_id, r.record_id, r.record_id as name, c.address, s.covers, s.purpose, s.at, s.source
        from suppressions s join suppression_records r using (suppression_id)
        left join contacts c using (cluster, record_id)
        where r.cluster = $1 and {_OURS}
        union
        select s.suppression_id, null, left(encode(s.address_key, 'hex'), 32), d.address, s.covers, s.purpose, s.at,
               s.source
        from suppressions s join deliveries d using (address_key)
        where d.address is not null and {_OURS}
          and (exists (select from contacts c where c.cluster = $1 and c.address = d.address)
               or exists (select from consents k where k.cluster = $1 and k.address_key = d.address)
               or exists (select from address_recipients a where a.cluster = $1 and a.address_key = d.address))
          and not exists (select from suppression_records r join contacts c using (cluster, record_id)
                          where r.suppression_id = s.suppression_id and r.cluster = $1 and c.address = d.address)
        union
        select s.suppression_id, k.record_id, k.record_id, case when k.shown then c.shown_address else c.address end,
               s.covers, s.purpose, s.at, s.source
        from suppressions s join contact_keys k using (address_key) join contacts c using (cluster, record_id)
        where k.cluster = $1 and {_OURS}
          and not exists (select from suppression_records r
                          where (r.suppression_id, r.cluster) = (s.suppression_id, $1))
          and not exists (select from deliveries d where d.address_key = s.address_key and d.address is not null)
    ), named as (
        select lpad(suppression_id::text, 12, '0') || '/' || name as item, t.*
        from taken t
        where not exists (
            select from consents k
            where k.cluster = $1 and k.status in {RESTRICTIONS} and k.channel in {CHANNELS}
              and k.purpose in ('*', t.purpose) and (k.record_id = t.record_id or k.address_key = t.address))
          and not exists (
            select from contacts c
            where c.cluster = $1 and c.record_id = t.record_id
              and exists (select from json_array_elements_text(c.document->'opt_outs') o where o in {CHANNELS}))
    )
"""
_ITEMS: Final = f"{_TAKEN} select item, at, address from named where item > $2 order by item limit $3"
_OBJECTIONS: Final = f"""
    {_TAKEN}
    select item, suppression_id::text, record_id, address, case covers when 'everything' then 'email'
           else 'bulk-email' end, purpose, at, source, (extract(epoch from at) * 1000000)::bigint
    from named where item = any($2::text[]) order by item
"""
_COUNT: Final = f"{_TAKEN} select count(*) from named"
_ABOUT: Final = f"""
    {_TAKEN} select item from named where record_id = $2 or address = $3 order by item
"""
_UNTOLD: Final = f"""
    {_TAKEN} select item from named n
    where not exists (select from objections_written w where (w.cluster, w.item) = ($1, n.item))
    order by item limit {PAGE}
"""
_WRITTEN: Final = """
    insert into objections_written (cluster, item) select $1, unnest($2::text[]) on conflict do nothing
"""


@dataclass(frozen=True, slots=True)
class UnconfirmedObjection:
    """An objection that the former system has not said. ``software`` is what that system is."""

    objection: TakenObjection
    software: str

    @property
    def record_id(self) -> str:
        """What names it within its cluster."""
        return self.objection.item

    @property
    def digest(self) -> bytes:
        """The same as long as it is for the same address."""
        return _digest(self.objection.at, self.objection.address)

    @property
    def new_id(self) -> bool:
        """It gets none there."""
        return False

    @property
    def left_out(self) -> tuple[str, ...]:
        """What the columns of the software need, and is not known."""
        return form_for(self.software).left_out(self.objection)

    def as_json(self) -> dict[str, Any]:
        """For programs: what it is about."""
        return {
            "record_id": self.record_id,
            "commands": [f"objection of {self.objection.record_id or 'an address'}: {self.objection.reason}"],
            "dismissed": False,
            "new_id": False,
            "removed": False,
            "file": form_for(self.software).file,
            "left_out": self.left_out,
            "not_imported": (),
        }


def _digest(at: Any, address: str | None) -> bytes:
    return sha256(f"{at} {address or ''}".encode()).digest()


async def digests(
    uow: CommunicationsUnitOfWork, cluster: str, after: str = "", limit: int | None = None
) -> dict[str, bytes | None]:
    """Every objection taken here that concerns the cluster and that its former system has not said, by item."""
    rows = rows_of(await uow.connection.exec_driver_sql(_ITEMS, (cluster, after, limit)))
    return {item: _digest(at, address) for item, at, address in rows}


async def count_unconfirmed(uow: CommunicationsUnitOfWork, cluster: str) -> int:
    """How many there are."""
    return (await uow.connection.exec_driver_sql(_COUNT, (cluster,))).scalar_one()


async def unconfirmed(
    uow: CommunicationsUnitOfWork, cluster: str, record_ids: Sequence[str]
) -> AsyncGenerator[UnconfirmedObjection]:
    """Those objections; ``record_ids`` are items."""
    for objection in await _objections(uow.connection, cluster, record_ids):
        yield UnconfirmedObjection(objection, uow.software(cluster))


def files(records: Iterable[UnconfirmedObjection]) -> dict[str, bytes]:
    """The objections as files that the former system imports, by kind; as a table for a person where it has none."""
    by_software: dict[str, list[TakenObjection]] = {}
    for record in records:
        by_software.setdefault(record.software, []).append(record.objection)
    forms = {software: form_for(software) for software in by_software}
    return {forms[software].file: file_of(rows, forms[software]) for software, rows in by_software.items()}


async def publish_current(uow: CommunicationsUnitOfWork, cluster: str, document: Mapping[str, Any], cause: str) -> None:
    """Tell the former system of the objections that are held of the record or address of a late message.

    Of a consent or a mailing that is mirrored there is nothing to tell: parity shows what differs.
    """
    named = (cluster, document.get("record_id"), key_of(document.get("address")))
    items = list((await uow.connection.exec_driver_sql(_ABOUT, named)).scalars())
    await publish_objections(uow, cluster, items, cause)


async def publish_objections(
    uow: CommunicationsUnitOfWork, cluster: str, items: Collection[str], cause: str | None
) -> None:
    """Tell the former system of these objections, when the transaction commits."""
    objections = await _objections(uow.connection, cluster, items)
    publish(uow, ObjectionWritten, [(_written(uow, cluster, each), cause) for each in objections], to=cluster)
    await uow.connection.exec_driver_sql(_WRITTEN, (cluster, [each.item for each in objections]))


async def write_untold(
    unit_of_work: Callable[[AsyncConnection], CommunicationsUnitOfWork], engine: AsyncEngine
) -> None:
    """Tell each live former system of the objections that were taken since it was told last."""
    async with engine.begin() as connection:
        state = await stages.read_stages(connection)
    for cluster in sorted(name for name, at in state.items() if at.stage == "live"):
        async with engine.begin() as connection:
            uow = unit_of_work(connection)
            # Nobody may roll back while it is told.
            if (await stages.lock_stages(connection, [cluster]))[cluster].stage == "live":
                items = list((await connection.exec_driver_sql(_UNTOLD, (cluster,))).scalars())
                await publish_objections(uow, cluster, items, None)
                await uow.outbox.flush(connection)


async def _objections(connection: AsyncConnection, cluster: str, items: Collection[str]) -> list[TakenObjection]:
    if not items:
        return []
    rows = rows_of(await connection.exec_driver_sql(_OBJECTIONS, (cluster, list(items))))
    return [TakenObjection(*row) for row in rows]


def _written(uow: CommunicationsUnitOfWork, cluster: str, objection: TakenObjection) -> ObjectionWritten:
    software = uow.software(cluster)
    form = form_for(software)
    return ObjectionWritten(
        version=objection.version,
        cluster=cluster,
        objection_id=objection.objection_id,
        record_id=objection.record_id,
        address=objection.address,
        channel=objection.channel,  # type: ignore[arg-type]
        purpose=objection.purpose,
        decided_at=objection.at,
        reason=objection.reason,
        product=software,
        file=form.file,
        columns=tuple(form.cells),
        rows=(row_of(objection, form),),
        left_out=form.left_out(objection),
    )


# --- after a restore ------------------------------------------------------------------------------------------------


async def _publish_unconfirmed(uow: CommunicationsUnitOfWork, cluster: str, after: str) -> list[str]:
    """Tell of the next objections that its former system has not said; their items, in order."""
    items = list(await digests(uow, cluster, after, PAGE))
    await publish_objections(uow, cluster, items, CAUSE)
    return items


OBJECTIONS_AGAIN: Final = to_live_systems(
    "objections taken here", "select count(*) from objections_written", _publish_unconfirmed
)
"""What live former systems have not said of our objections: their queues may have been lost."""
