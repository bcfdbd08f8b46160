"""What to do when handling failed: a decision, made by one pure function.

``decide`` looks at the error alone and at how often the message was tried, so it can be tested without a broker.
"""

import asyncio
from dataclasses import dataclass

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.messaging.topology import RETRY_DELAYS


@dataclass(frozen=True, slots=True)
class PauseUntilDatabase:
    """The database cannot work now. Keep the message in hand, unacknowledged, and try again when it can."""


@dataclass(frozen=True, slots=True)
class PauseForOperator:
    """The service cannot work until an operator did ``what_for``. Keep the message in hand, and try again meanwhile."""

    what_for: str


@dataclass(frozen=True, slots=True)
class RetryNow:
    """Another transaction was in the way (deadlock, a lock not got in time). Run the same batch again."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Try later. ``delay`` is in seconds, one of :data:`RETRY_DELAYS`."""

    delay: int
    reason: str


@dataclass(frozen=True, slots=True)
class Park:
    """Set it aside with a reason for a person to look at."""

    reason: str
    detail: str


class Refusal(Exception):
    """A handler will never accept this message: ``reason`` is a stable word, ``detail`` is for a person."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class NotReady(Exception):
    """No message can be handled before an operator did what this says; it names nobody's data."""


Decision = PauseUntilDatabase | PauseForOperator | RetryNow | Retry | Park

# SQLSTATE classes, PostgreSQL appendix A: 08 connection, 53 out of resources (disk full, too many connections),
# 57P operator intervention (shutdown, crash), 58 system error; 25006 is a read-only standby, 25P03 our own session
# that was idle in a transaction for too long.
_DATABASE_AWAY = ("08", "53", "57P", "58", "25006", "25P03")
# Reading goes on, so that the database answers as if it were well; and what needs no new page may even be written.
_DISK_FULL = "53100"
# A table or a column that this program reads is not there: the rest of an upgrade is still to come, or is gone too far.
_OTHER_SCHEMA = ("42P01", "42703")
_COLLISION = ("40001", "40P01", "55P03")
_WRONG_DATA = ("22", "23")


def sqlstate(error: BaseException) -> str:
    """The five-character SQLSTATE of a database error, or an empty text."""
    cause = getattr(error, "orig", error)
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    return state if isinstance(state, str) else ""


def decide(error: BaseException, attempt: int) -> Decision:
    """Decide for one message, or for a batch (only :class:`PauseUntilDatabase` and :class:`RetryNow` are meant).

    ``attempt`` counts from 0. A refused connection reaches us as a bare ``OSError``, not as an SQLAlchemy error.
    """
    if isinstance(error, Refusal):
        return Park(error.reason, error.detail)
    if isinstance(error, NotReady):
        return PauseForOperator(str(error))
    state = sqlstate(error)
    if state == _DISK_FULL:
        return PauseForOperator("the disk of the database is full: make room")
    if state in _OTHER_SCHEMA:
        return PauseForOperator("the schema is not this program's: traboule migrate --all --check")
    if state.startswith(_DATABASE_AWAY) or isinstance(error, (OSError, asyncio.TimeoutError, PoolTimeout)):
        return PauseUntilDatabase()
    if isinstance(error, asyncpg.PostgresError):
        # The driver's own error, not SQLAlchemy's: whatever it says, a connection could not be had.
        return PauseUntilDatabase()
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return PauseUntilDatabase()
    if isinstance(error, (InterfaceError, OperationalError)) and not state:
        return PauseUntilDatabase()
    if state in _COLLISION:
        return RetryNow()
    if state.startswith(_WRONG_DATA):
        return Park("rejected-by-database", f"the database refuses its data: SQLSTATE {state}")
    if attempt < len(RETRY_DELAYS):
        return Retry(RETRY_DELAYS[attempt], type(error).__name__)
    return Park("handler-failed", f"{type(error).__name__} in the handler, {attempt + 1} times: see the log")


def decide_alone(decision: Decision, attempt: int) -> Retry | Park:
    """For one message alone, when waiting did not help: what is short today may be there in five minutes."""
    if isinstance(decision, Retry | Park):
        return decision
    if attempt < len(RETRY_DELAYS):
        return Retry(RETRY_DELAYS[attempt], type(decision).__name__)
    return Park("handler-failed", f"the database fails on this message alone, {attempt + 1} times: see the log")
