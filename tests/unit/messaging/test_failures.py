"""What to do when handling failed: one table."""

import asyncio

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.messaging.failures import (
    RETRY_DELAYS,
    Decision,
    Park,
    PauseForOperator,
    PauseUntilDatabase,
    Refusal,
    Retry,
    RetryNow,
    decide,
    sqlstate,
)


def database_error(state: str | None, kind: type[DBAPIError] = DBAPIError) -> DBAPIError:
    """What SQLAlchemy raises around the driver's error."""
    cause = Exception("a message that may quote personal data")
    cause.sqlstate = state  # type: ignore[attr-defined]
    return kind("insert …", None, cause)


def invalidated() -> DBAPIError:
    error = database_error(None)
    error.connection_invalidated = True
    return error


@pytest.mark.parametrize(
    ("error", "decision"),
    [
        # the database is away, or cannot work now
        (ConnectionRefusedError(), PauseUntilDatabase()),
        (OSError("name or service not known"), PauseUntilDatabase()),
        (TimeoutError(), PauseUntilDatabase()),
        (PoolTimeout(), PauseUntilDatabase()),
        (database_error("08006"), PauseUntilDatabase()),
        (database_error("53300"), PauseUntilDatabase()),
        (database_error("57P01"), PauseUntilDatabase()),
        (database_error("57P03"), PauseUntilDatabase()),
        (database_error("58030"), PauseUntilDatabase()),
        (database_error("25006"), PauseUntilDatabase()),
        (database_error(None, InterfaceError), PauseUntilDatabase()),
        (database_error(None, OperationalError), PauseUntilDatabase()),
        (invalidated(), PauseUntilDatabase()),
        (asyncpg.CannotConnectNowError(), PauseUntilDatabase()),
        (asyncpg.InternalServerError("could not write init file"), PauseUntilDatabase()),  # who is new, on a full disk
        # half of an upgrade: what this program reads is not there
        (database_error("42P01"), PauseForOperator("the schema is not this program's: traboule migrate --all --check")),
        (database_error("42703"), PauseForOperator("the schema is not this program's: traboule migrate --all --check")),
        # it answers, but nothing can be written
        (database_error("53100"), PauseForOperator("the disk of the database is full: make room")),
        # another transaction was in the way
        (database_error("40001"), RetryNow()),
        (database_error("40P01"), RetryNow()),
        (database_error("55P03"), RetryNow()),
        # this message will never do
        (Refusal("closed-period", "the year 2019 is closed"), Park("closed-period", "the year 2019 is closed")),
        (
            database_error("23505", IntegrityError),
            Park("rejected-by-database", "the database refuses its data: SQLSTATE 23505"),
        ),
        (database_error("22P05"), Park("rejected-by-database", "the database refuses its data: SQLSTATE 22P05")),
        # a fault that may pass, or be repaired
        (KeyError("x"), Retry(RETRY_DELAYS[0], "KeyError")),
        (database_error("42P02"), Retry(RETRY_DELAYS[0], "DBAPIError")),
        (database_error("57014"), Retry(RETRY_DELAYS[0], "DBAPIError")),
        (asyncio.CancelledError(), Retry(RETRY_DELAYS[0], "CancelledError")),
    ],
    ids=lambda value: f"{type(value).__name__} {sqlstate(value)}" if isinstance(value, BaseException) else "",
)
def test_each_error_has_its_decision(error: BaseException, decision: Decision) -> None:
    assert decide(error, attempt=0) == decision


def test_each_try_waits_longer_and_then_a_person_is_asked() -> None:
    decisions = [decide(KeyError(), attempt) for attempt in range(len(RETRY_DELAYS) + 1)]

    assert [d.delay for d in decisions[:-1] if isinstance(d, Retry)] == sorted(RETRY_DELAYS)
    assert decisions[-1] == Park("handler-failed", "KeyError in the handler, 4 times: see the log")


@pytest.mark.parametrize("attempt", range(6))
def test_an_absent_database_never_costs_a_message_its_attempts(attempt: int) -> None:
    assert decide(ConnectionRefusedError(), attempt) == PauseUntilDatabase()


@pytest.mark.parametrize("attempt", range(6))
def test_a_full_disk_is_no_fault_of_a_message(attempt: int) -> None:
    assert isinstance(decide(database_error("53100"), attempt), PauseForOperator)


def test_a_decision_never_quotes_the_error() -> None:
    databases = [
        decide(database_error(state), attempt) for state in ("23505", "42P01", "22001", "53100") for attempt in range(5)
    ]
    assert "personal data" not in repr(databases)
