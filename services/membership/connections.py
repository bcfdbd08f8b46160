"""Reading and writing beside the consumers: on connections of one's own, so that neither waits for the other."""

import asyncio
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from services.membership.policy import Policy
from services.membership.unit_of_work import MembershipUnitOfWork
from shared.messaging.failures import NotReady, PauseForOperator, PauseUntilDatabase, RetryNow, decide
from shared.process.http_side import HTTP_CLOSING_SECONDS

_AWAY = (
    OSError,  # refused, reset, timed out
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.OperatorInterventionError,  # shutting down, starting up, statement cancelled
    asyncpg.InsufficientResourcesError,  # too many connections
)


IDLE_IN_TRANSACTION = "60s"


class DatabaseUnavailableError(Exception):
    """The database does not answer; ask again in a moment."""


class DatabaseBusyError(DatabaseUnavailableError):
    """Others are changing what is asked to be changed; ask again in a moment."""


class ReadPool:
    """Read-only connections, opened when they are first needed. Every method raises DatabaseUnavailableError."""

    def __init__(self, url: str, *, application: str, size: int = 6) -> None:
        self._url, self._application, self._size = url, application, size
        self._pool: Any = None
        self._opening = asyncio.Lock()

    @property
    def size(self) -> int:
        """The most connections that it opens."""
        return self._size

    def in_use(self) -> int:
        """How many connections somebody reads on now."""
        return 0 if self._pool is None else self._pool.get_size() - self._pool.get_idle_size()

    async def fetch(self, sql: str, *values: Any) -> Sequence[Any]:
        """All rows of one statement."""
        async with self.connection() as connection:
            return await connection.fetch(sql, *values)

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Any]:
        """One connection, given back at the end."""
        try:
            pool = self._pool or await self._open()
            async with pool.acquire(timeout=3) as connection:
                yield connection
        except _AWAY as error:
            raise DatabaseUnavailableError(type(error).__name__) from error

    @asynccontextmanager
    async def snapshot(self) -> AsyncGenerator[Any]:
        """One connection on which several statements see one moment."""
        async with self.connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection

    async def close(self) -> None:
        """Close every connection, without mercy for those still busy after a while; a later read opens new ones."""
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                async with asyncio.timeout(HTTP_CLOSING_SECONDS):
                    await pool.close()
            except TimeoutError:
                pool.terminate()

    async def _open(self) -> Any:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url,
                    min_size=0,
                    max_size=self._size,
                    timeout=3,
                    command_timeout=20,
                    reset=_nothing,
                    server_settings={
                        "application_name": self._application,
                        # Whoever reads an export slowly makes the database keep what it was at its beginning.
                        "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION,
                        "default_transaction_read_only": "on",
                        "jit": "off",
                        # A plan for any word reads the whole index for two letters, and sorts all that a town has.
                        "plan_cache_mode": "force_custom_plan",
                        "timezone": "UTC",
                    },
                )
            return self._pool


@asynccontextmanager
async def writing(engine: AsyncEngine, policy: Policy) -> AsyncGenerator[MembershipUnitOfWork]:
    """One transaction: what it writes and what it announces, together or not at all.

    Raises DatabaseUnavailableError, DatabaseBusyError.
    """
    with _refusals():
        async with engine.begin() as connection:
            uow = MembershipUnitOfWork(connection, policy)
            yield uow
            await uow.outbox.flush(connection)


@asynccontextmanager
async def previewing(engine: AsyncEngine, policy: Policy) -> AsyncGenerator[MembershipUnitOfWork]:
    """The same repositories on one snapshot that the database lets nobody write in.

    Raises DatabaseUnavailableError, DatabaseBusyError.
    """
    with _refusals():
        async with engine.connect() as plain:
            connection = await plain.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            async with connection.begin():
                yield MembershipUnitOfWork(connection, policy)


@contextmanager
def _refusals() -> Generator[None]:
    try:
        yield
    except Exception as error:
        decision = decide(error, attempt=0)
        if isinstance(decision, RetryNow) or isinstance(error, PoolTimeout):
            raise DatabaseBusyError(type(error).__name__) from error
        if isinstance(decision, PauseUntilDatabase | PauseForOperator) and not isinstance(error, NotReady):
            raise DatabaseUnavailableError(type(error).__name__) from error
        raise


async def _nothing(_: Any) -> None:
    # These connections hold no state between two reads, so a round trip to reset them would be for nothing.
    return None
