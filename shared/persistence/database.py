"""Connections to a service's own database."""

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Any, Final, cast

import orjson
from sqlalchemy import event, text
from sqlalchemy.engine import URL, Engine, Result, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

IDLE_SECONDS: Final = 1.0
"""After so long a connection is checked before it is used."""
_RETURNED: Final = "returned"
_MICROSECONDS_NOW: Final = "select (extract(epoch from clock_timestamp()) * 1000000)::bigint"
_PATIENCE = {
    # A replica that freezes or loses its network in the middle of a transaction must not hold its locks for ever.
    "idle_in_transaction_session_timeout": "30s",
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "4",
}
# Writers look rows up by key, some hundreds at a time. On a table that has just grown from nothing the planner has no
# statistics yet and would read it whole for each batch, which makes an import quadratic.
_BY_KEY = {"jit": "off", "enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off"}


def create_engine(
    url: str, *, application: str, pool_size: int = 8, pool_timeout: float = 10, lock_timeout: int = 40
) -> AsyncEngine:
    """An engine for ``postgresql://user:password@host:port/database``, libpq's ``?sslmode=`` and the like included.

    A connection that was idle is checked before use, so that a restarted database costs no message an attempt; one in
    constant use is not, since a check takes three round trips. The one used last is used first. Connecting takes at
    most 5 s and a statement at most 60 s. ``lock_timeout`` are the seconds that a statement waits for another's lock:
    less than that, so that it is told apart from a database that hangs.
    """
    waiting = {"lock_timeout": f"{lock_timeout}s"}
    address, whole = engine_address(url)
    engine = create_async_engine(
        address,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=pool_timeout,
        pool_use_lifo=True,
        # Parameter values are members' data: they must never reach a log or an error text.
        hide_parameters=True,
        connect_args={
            **whole,
            "timeout": 5,
            "command_timeout": 60,
            "server_settings": {"application_name": application, "timezone": "UTC", **waiting, **_PATIENCE, **_BY_KEY},
        },
    )
    _check_after_idling(engine.sync_engine)
    return engine


def _check_after_idling(engine: Engine) -> None:
    """Check a connection that nobody used for a while, and have the pool replace it if it is gone."""

    def returned(_: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        record.info[_RETURNED] = monotonic()

    def taken(connection: DBAPIConnection, record: ConnectionPoolEntry, _: PoolProxiedConnection) -> None:
        if monotonic() - record.info.get(_RETURNED, monotonic()) > IDLE_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise DisconnectionError from error

    event.listen(engine, "checkin", returned)
    event.listen(engine, "checkout", taken)


def engine_address(url: str) -> tuple[URL, dict[str, str]]:
    """An address as SQLAlchemy takes it, and the argument that gives asyncpg the whole of it."""
    # SQLAlchemy hands each parameter of an address to asyncpg as an argument of that name, and libpq's are none;
    # asyncpg reads them from an address of its own.
    return make_url(url).set(drivername="postgresql+asyncpg", query={}), {"dsn": asyncpg_url(url)}


def asyncpg_url(url: str) -> str:
    """The same address as asyncpg itself takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def rows_of(result: Result[Any]) -> Sequence[tuple[Any, ...]]:
    """Every row of bare SQL, typed as the tuple that it is, so that it can be unpacked."""
    return cast("Sequence[tuple[Any, ...]]", result.all())


def json_of(value: Any) -> Any:
    """A json column of bare SQL, whichever way the driver gives it."""
    return orjson.loads(value) if isinstance(value, str | bytes) else value


async def is_reachable(engine: AsyncEngine) -> bool:
    """Whether the database answers within two seconds."""
    try:
        async with asyncio.timeout(2), engine.connect() as connection:
            await connection.execute(text("select 1"))
    except Exception:
        return False
    return True


async def microseconds_now(connection: AsyncConnection) -> int:
    """This moment by the database's clock, in µs since 1970: a version that is larger than those before it."""
    return int((await connection.exec_driver_sql(_MICROSECONDS_NOW)).scalar_one())
