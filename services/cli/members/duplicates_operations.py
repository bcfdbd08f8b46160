"""The membership database, as ``traboule duplicates`` reads and changes it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from services.cli.members.duplicates_file import Line, with_progress
from services.common.environment import load_settings
from services.membership.connections import DatabaseUnavailableError, ReadPool, writing
from services.membership.identity import answers
from services.membership.identity.decisions import Decided, DecisionError, Signature
from services.membership.policy import Policy, policy_of
from services.membership.rows import Rows
from services.membership.settings import MembershipSettings
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases import decide
from shared.cli.terminal import nothing
from shared.persistence.database import asyncpg_url, create_engine

T = TypeVar("T")

_APPLICATION = "traboule.duplicates"

Work = Callable[[MembershipUnitOfWork], Awaitable[Decided]]


def policy() -> Policy:
    """What the operators configured. Raises NotConfigured, ClustersFileError, RulesFileError."""
    return policy_of(_settings())


def read(work: Callable[[Rows, Policy], Awaitable[T]]) -> T:
    """Several statements that see one moment; ends the command when the database is away."""
    settings = _settings()
    configured = policy_of(settings)

    async def run() -> T:
        pool = ReadPool(asyncpg_url(settings.database_url), application=_APPLICATION, size=1)
        try:
            async with pool.snapshot() as rows:
                return await work(rows, configured)
        finally:
            await pool.close()

    return _run(run())


def write(work: Work) -> Decided:
    """One transaction. Raises DecisionError; ends the command when the database is away."""

    async def run() -> Decided:
        async with _writer() as writes:
            return await writes(work)

    return _run(run())


def write_each(lines: Sequence[Line], author: str, *, silent: bool) -> list[dict[str, Any]]:
    """A transaction for each line: what came of it, or its ``error`` and ``code``.

    Ends the command when the database is away; what was decided until then says nothing new when it is said again.
    """
    return _run(_each(lines, author, silent=silent))


async def _each(lines: Sequence[Line], author: str, *, silent: bool) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    async with _writer() as writes:
        for line in with_progress(lines, silent=silent):
            try:
                decision, signature = line.decision(), Signature(author, line.reason)
                decided = await writes(lambda uow, d=decision, s=signature: decide.decide(uow, d, s))
                results.append({"line": line.number, **answers.just_decided(decided)})
            except DecisionError as error:
                results.append({"line": line.number, "error": str(error), "code": error.kind})
    return results


@asynccontextmanager
async def _writer() -> AsyncGenerator[Callable[[Work], Awaitable[Decided]]]:
    settings = _settings()
    configured = policy_of(settings)
    engine = create_engine(settings.database_url, application=_APPLICATION, pool_size=1)

    async def writes(work: Work) -> Decided:
        async with writing(engine, configured) as uow:
            return await work(uow)

    try:
        yield writes
    finally:
        await engine.dispose()


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except DatabaseUnavailableError:
        nothing("the membership database does not answer; saying the same again later does no harm")


def _settings() -> MembershipSettings:
    return load_settings("membership", MembershipSettings)
