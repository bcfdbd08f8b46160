"""Who may write, once a former system is live: staff who hold an API key. The gates of all services ask."""

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from schemas.cutover import MOST_KEYS, WriteAccessChanged
from services.common.republish import CAUSE, Page, Place, Republisher
from services.cutover.preconditions import Writers
from services.cutover.writers import MAKE_A_KEY
from shared.messaging.publishing import publish
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.database import rows_of

ANNOUNCE_EVERY = 10.0
"""Seconds after which keys are announced that another program made or revoked."""

# By roles of today, and by those of keys that were made before there were grants.
_WRITES = "g.ended_at is null and g.role in ('staff', 'treasurer', 'admin')"
# People may come in until somebody disables them: that has no day.
_UNTIL = f"""
    select k.expires_at as until from api_keys k
    where revoked_at is null and expires_at > now()
      and (role <> 'reader' or exists (select from grants g where g.key_id = k.id and {_WRITES}))
    union all
    select timestamptz '2199-12-31 00:00+00' from people p
    where p.disabled_at is null and exists (select from grants g where g.person_id = p.id and {_WRITES})
"""
_COUNT = f"select count(*) from ({_UNTIL}) as writers"
_TURN = "select pg_advisory_xact_lock(hashtext('write_access'))"
_KEYS = f"select until from ({_UNTIL}) as writers order by until desc limit {MOST_KEYS}"
_ANNOUNCED = "select version, expires_at from write_access"
# By the clock, so that a database that was restored goes on with larger numbers; and always larger than before.
_SAVE = """
    insert into write_access as announced (id, version, expires_at)
    values (1, (extract(epoch from clock_timestamp()) * 1000000)::bigint, $1)
    on conflict (id) do update
    set version = greatest(announced.version + 1, excluded.version), expires_at = excluded.expires_at
    returning version
"""


async def count_writers(connection: AsyncConnection) -> Writers:
    """How many people and usable API keys may write, and how to make one.

    Staff tools may also write as the broker user ``staff.membership``, which a database cannot know of.
    """
    return Writers(int((await connection.exec_driver_sql(_COUNT)).scalar_one()), MAKE_A_KEY)


async def announce_write_access(connection: AsyncConnection) -> None:
    """Tell all services who may write, in this transaction, if that is not what they were told last."""
    uow = UnitOfWork(connection)
    await _announce(uow, None)
    await uow.outbox.flush(connection)


async def watch_write_access(engine: AsyncEngine) -> None:
    """The same in a transaction of its own: for people, and for keys that a program of the version before made."""
    async with engine.begin() as connection:
        await announce_write_access(connection)


async def _announce(uow: UnitOfWork, cause: str | None, *, again: bool = False) -> None:
    await uow.connection.exec_driver_sql(_TURN)
    keys = [moment for (moment,) in rows_of(await uow.connection.exec_driver_sql(_KEYS))]
    announced = rows_of(await uow.connection.exec_driver_sql(_ANNOUNCED))
    if announced and list(announced[0][1]) == keys:
        version: int = announced[0][0]
        if not again:
            return
    else:
        version = (await uow.connection.exec_driver_sql(_SAVE, (keys,))).scalar_one()
    publish(uow, WriteAccessChanged, [(WriteAccessChanged(version=version, expires_at=tuple(keys)), cause)])


async def _page(uow: UnitOfWork, _: Place | None) -> Page:
    await _announce(uow, CAUSE, again=True)
    return Page(1, None)


WRITE_ACCESS = Republisher("write access", "select 1", _page)
"""Told again after a restore."""
