"""What runs and corrections have in common: one at a time, as the authority, and with a number."""

from asyncio import to_thread
from collections.abc import Collection, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.billing.cutover.write_back import publish_issued
from services.billing.documents import repository
from services.billing.documents.draft import Draft
from services.billing.documents.facturx import UnfitDocumentError
from services.billing.documents.repository import Issued, Issuing
from services.billing.documents.restored import UncomparedSeriesError
from services.billing.documents.rules import RulesUnavailableError
from services.billing.documents.trial import check_by_rules
from services.billing.issuers.issuer import Settings
from services.billing.mirror.repository import BillingUnitOfWork
from services.billing.usecases.release import release
from services.cutover.stages import StageState, lock_stages, read_stages
from services.operations.binding import Call, RefusedError

AT_A_TIME: Final = 500
"""Documents of one statement."""
_MAY_BE_IDLE = "select set_config('idle_in_transaction_session_timeout', '0', true)"
_TURN = "select pg_advisory_xact_lock(hashtext('documents'), hashtext($1))"


async def take_turn(connection: AsyncConnection, issuer: str) -> None:
    """Wait until nobody else issues documents of this issuer: the next one sees what we issued."""
    await connection.exec_driver_sql(_TURN, (issuer,))


async def may_take_long(connection: AsyncConnection) -> None:
    """Let this transaction wait for checks: a thousand documents take a minute, and PostgreSQL ends idle ones."""
    await connection.exec_driver_sql(_MAY_BE_IDLE)


async def theirs(connection: AsyncConnection, clusters: Collection[str]) -> set[str]:
    """The clusters whose former system bills. Until we commit nobody moves one: it would bill the same days."""
    at = await lock_stages(connection, clusters)
    return {cluster for cluster, stage in at.items() if not stage.is_ours}


async def theirs_now(connection: AsyncConnection, clusters: Collection[str]) -> set[str]:
    """The same for whoever only looks: no stage is locked."""
    at = await read_stages(connection)
    return {cluster for cluster in clusters if not at.get(cluster, StageState()).is_ours}


def refuse_theirs(drafts: Sequence[Draft], theirs: set[str]) -> None:
    """Raises RefusedError where a former system is the authority for a record that is billed."""
    if billed := sorted({draft.key.cluster for draft in drafts} & theirs):
        raise not_the_authority(billed)


def not_the_authority(clusters: Sequence[str]) -> RefusedError:
    """The former systems of these clusters still bill."""
    names = ", ".join(f"{cluster}/billing" for cluster in clusters)
    return RefusedError(
        "not-the-authority", f"{names} still bills its members: move it over first (traboule cutover switch)"
    )


async def check_rules(call: Call[Any], drafts: Sequence[Draft], settings: Settings) -> None:
    """Ask both schematrons. Raises RefusedError, which names documents and rules."""
    await may_take_long(call.uow.connection)
    try:
        await to_thread(check_by_rules, drafts, settings, call.uow.rules)
    except UnfitDocumentError as error:
        raise RefusedError("document-invalid", str(error)) from None
    except RulesUnavailableError as error:
        raise RefusedError("document-unchecked", str(error)) from None


async def issue(uow: BillingUnitOfWork, by: Issuing, drafts: Sequence[Draft]) -> list[str]:
    """Number and keep these documents, free what credit notes free, tell former systems, and return the numbers.

    Raises RefusedError after a restore.

    One transaction, and so many at a time: what goes to the database and into the outbox is in memory for a moment.
    """
    numbers: list[str] = []
    # In the order of kinds, so that two transactions lock the series in the same order.
    ordered = sorted(drafts, key=attrgetter("kind"))
    for start in range(0, len(ordered), AT_A_TIME):
        try:
            some = await repository.issue(uow.connection, by, ordered[start : start + AT_A_TIME])
        except UncomparedSeriesError as error:
            raise RefusedError("series-uncompared", str(error)) from None
        await release(uow.connection, by, some)
        await publish_issued(uow, await _by_live_cluster(uow.connection, some))
        await uow.outbox.flush(uow.connection)
        numbers += [each.number for each in some]
    return numbers


async def _by_live_cluster(connection: AsyncConnection, issued: Sequence[Issued]) -> Mapping[str, list[Issued]]:
    """Documents by the cluster whose former system is told of them: it could come back. The stages are locked."""
    at = await read_stages(connection)
    documents: dict[str, list[Issued]] = {}
    for each in issued:
        cluster = each.draft.key.cluster
        if at.get(cluster, StageState()).stage == "live":
            documents.setdefault(cluster, []).append(each)
    return documents
