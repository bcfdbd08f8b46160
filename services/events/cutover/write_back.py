"""Registrations that were made or changed here, told to the former system of the gathering's cluster.

One is confirmed when the former system says it as it is here: the same seats, and whether it takes a place or waits.
What was cancelled here before the former system knew of it need not be told.
"""

from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from schemas.events import RegistrationWritten
from services.common.republish import CAUSE, PAGE, to_live_systems
from services.cutover.stages import lock_stages, read_stages
from services.events.cutover.way_back import COLUMNS, FILE, MadeRegistration, file_of, row_of
from services.events.mirror.repository import EventsUnitOfWork
from services.events.seats.states import STATUS_SQL
from shared.messaging.publishing import publish
from shared.persistence.database import rows_of

WRITE_EVERY: Final = 10.0
"""Seconds after which a live former system is told of what became of registrations meanwhile."""
PLACES: Final = "case when {status} in ('attended', 'absent') then 'registered' else {status} end"
"""Whether a registration takes a place; who came is not for us to tell."""
_UNCONFIRMED: Final = f"""
    with ours as (
        select b.booking_id, b.former_id, coalesce(b.former_id, b.booking_id::text) as registration_id,
               coalesce(g.event_id, g.gathering_id::text) as event_id, g.title, g.cluster, b.seats, b.price, b.version,
               b.written, b.order_id, {STATUS_SQL} as status
        from gatherings g join sessions s using (gathering_id) join bookings b using (session_id)
        where g.cluster = $1 and g.state <> 'given-back' and coalesce(s.ends_at, s.starts_at) > now()
    ), unconfirmed as (
        select o.* from ours o
        left join registrations r on r.cluster = o.cluster and r.registration_id = o.registration_id
        where case when r.registration_id is null
                   then o.former_id is not null or o.status <> 'cancelled' or o.written between 1 and o.version - 1
                   else {PLACES.format(status="r.status")} <> o.status
                        or r.seats <> o.seats and o.status <> 'cancelled' end
    )
"""
_IDS: Final = (
    f"{_UNCONFIRMED} select registration_id, version from unconfirmed where registration_id > $2 order by 1 limit $3"
)
_COUNT: Final = f"{_UNCONFIRMED} select count(*) from unconfirmed"
_ABOUT: Final = f"{_UNCONFIRMED} select registration_id from unconfirmed where registration_id = $2"
_NEXT: Final = f"{_UNCONFIRMED} select registration_id from unconfirmed where written < version order by 1 limit {PAGE}"
_MADE: Final = f"""
    {_UNCONFIRMED}
    select u.registration_id, u.event_id, u.title, case when o.cluster = u.cluster then o.record_id end,
           coalesce(o.name, ''), coalesce(o.email, ''),
           coalesce((select string_agg(a.name, ', ' order by a.place) from attendees a
                     where a.booking_id = u.booking_id and a.left_at is null), ''),
           o.placed_at, u.status, u.seats, u.price::text, u.former_id is null, u.version,
           u.booking_id::text
    from unconfirmed u join orders o using (order_id)
    where u.registration_id = any($2::text[]) order by u.registration_id
"""
# The version that was told: what became of it meanwhile is told next, and so is what another changes now.
_WRITTEN: Final = """
    with known as (
        select b.booking_id, n.version
        from unnest($1::uuid[], $2::bigint[]) as n (booking_id, version)
        join bookings b using (booking_id)
        where b.written < n.version
        for update of b skip locked
    )
    update bookings b set written = k.version from known k where b.booking_id = k.booking_id
"""


@dataclass(frozen=True, slots=True)
class UnconfirmedRegistration:
    """A registration that the former system has not said as it is here."""

    made: MadeRegistration

    @property
    def record_id(self) -> str:
        """What names it here and there."""
        return self.made.registration_id

    @property
    def digest(self) -> bytes:
        """The same as long as nothing becomes of it."""
        return _digest(self.made.version)

    @property
    def new_id(self) -> bool:
        """A registration that was made here gets an id of the former system's own."""
        return self.made.new

    @property
    def left_out(self) -> tuple[str, ...]:
        """Nothing: the table says all."""
        return ()

    def as_json(self) -> dict[str, Any]:
        """For programs: what it is about, without names."""
        return {
            "record_id": self.record_id,
            "commands": [f"{self.made.status}: {self.made.seats} seats at {self.made.event_id}"],
            "dismissed": False,
            "new_id": self.new_id,
            "removed": self.made.status == "cancelled",
            "file": FILE,
            "left_out": (),
            "not_imported": (),
        }


def _digest(version: int) -> bytes:
    return sha256(str(version).encode()).digest()


async def digests(
    uow: EventsUnitOfWork, cluster: str, after: str = "", limit: int | None = None
) -> dict[str, bytes | None]:
    """Every registration that its former system has not said as it is here, by id."""
    rows = rows_of(await uow.connection.exec_driver_sql(_IDS, (cluster, after, limit)))
    return {registration_id: _digest(version) for registration_id, version in rows}


async def count_unconfirmed(uow: EventsUnitOfWork, cluster: str) -> int:
    """How many there are."""
    return (await uow.connection.exec_driver_sql(_COUNT, (cluster,))).scalar_one()


async def unconfirmed(
    uow: EventsUnitOfWork, cluster: str, record_ids: Sequence[str]
) -> AsyncGenerator[UnconfirmedRegistration]:
    """Those registrations, by id."""
    for made in await _made(uow.connection, cluster, record_ids):
        yield UnconfirmedRegistration(made)


def files(records: Iterable[UnconfirmedRegistration]) -> dict[str, bytes]:
    """The registrations as a table for a person."""
    made = [record.made for record in records]
    return {FILE: file_of(made)} if made else {}


async def publish_current(uow: EventsUnitOfWork, cluster: str, document: Mapping[str, Any], cause: str) -> None:
    """Tell the former system what is held of the registration of a late message.

    Of a gathering there is nothing to tell: staff see in parity what differs.
    """
    if "registration_id" in document:
        named = (cluster, document["registration_id"])
        ids = list((await uow.connection.exec_driver_sql(_ABOUT, named)).scalars())
        await publish_registrations(uow, cluster, ids, cause)


async def publish_registrations(uow: EventsUnitOfWork, cluster: str, ids: Collection[str], cause: str | None) -> None:
    """Tell the former system of these registrations, when the transaction commits."""
    made = await _made(uow.connection, cluster, ids)
    if made:
        publish(uow, RegistrationWritten, [(_written(uow, cluster, each), cause) for each in made], to=cluster)
        columns = [each.booking_id for each in made], [each.version for each in made]
        await uow.connection.exec_driver_sql(_WRITTEN, columns)


async def write_untold(unit_of_work: Callable[[AsyncConnection], EventsUnitOfWork], engine: AsyncEngine) -> None:
    """Tell each live former system of the registrations that changed since it was told last."""
    async with engine.begin() as connection:
        state = await read_stages(connection)
    for cluster in sorted(name for name, at in state.items() if at.stage == "live"):
        async with engine.begin() as connection:
            uow = unit_of_work(connection)
            # Nobody may roll back while it is told.
            if (await lock_stages(connection, [cluster]))[cluster].stage == "live":
                ids = list((await connection.exec_driver_sql(_NEXT, (cluster,))).scalars())
                await publish_registrations(uow, cluster, ids, None)
                await uow.outbox.flush(connection)


async def _made(connection: AsyncConnection, cluster: str, ids: Collection[str]) -> list[MadeRegistration]:
    if not ids:
        return []
    return [MadeRegistration(*row) for row in rows_of(await connection.exec_driver_sql(_MADE, (cluster, list(ids))))]


def _written(uow: EventsUnitOfWork, cluster: str, made: MadeRegistration) -> RegistrationWritten:
    return RegistrationWritten(
        version=made.version,
        cluster=cluster,
        registration_id=made.registration_id,
        event_id=made.event_id,
        record_id=made.record_id,
        registered_at=made.registered_at,
        status=made.status,  # type: ignore[arg-type]
        seats=made.seats,
        product=uow.software(cluster),
        file=FILE,
        columns=tuple(COLUMNS),
        rows=(row_of(made),),
    )


# --- after a restore ------------------------------------------------------------------------------------------------


async def _publish_unconfirmed(uow: EventsUnitOfWork, cluster: str, after: str) -> list[str]:
    """Tell of the next registrations that its former system has not said; their ids, in order."""
    ids = list(await digests(uow, cluster, after, PAGE))
    await publish_registrations(uow, cluster, ids, CAUSE)
    return ids


REGISTRATIONS_AGAIN: Final = to_live_systems(
    "registrations made here", "select count(*) from bookings", _publish_unconfirmed
)
"""What live former systems have not said of our registrations: their queues may have been lost."""
