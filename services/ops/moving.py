"""What ``traboule cutover`` and ``traboule quarantine`` do in the services' databases."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from importlib import import_module
from typing import Any

import aio_pika
import orjson
from aio_pika.exceptions import AMQPError

from services.cutover import late
from services.cutover.gate import Condition, conditions
from services.cutover.moves import move
from services.cutover.parity.runs import last_run
from services.ops.parked import CannotAct, NotFound, Unreachable
from services.ops.transactions import transaction
from shared.cutover import quarantine, stages
from shared.cutover.stages import Move, MoveError, Standing
from shared.persistence.database import rows_of
from shared.runtime.clusters import Cluster
from shared.runtime.settings import ServiceSettings

HAS_COMMANDS = frozenset({"membership"})
"""Services that take commands of their own, so that somebody can write once the former system may not."""

_HISTORY = """
    select epoch, stage, at, by, reason, overruled from stage_history where cluster = $1 order by epoch desc
"""
_COUNTS = """
    select cluster, count(*) from quarantine where state = 'waiting' group by cluster
"""


async def board(services: Mapping[str, ServiceSettings], clusters: Mapping[str, Cluster]) -> list[dict[str, Any]]:
    """Every former system, by cluster and service: where it stands, since when, and what waits in quarantine."""
    rows: list[dict[str, Any]] = []
    for service, settings in services.items():
        async with transaction(service, settings, "cutover") as uow:
            standing = await stages.all_standings(uow.connection)
            waiting: dict[str, int] = {
                str(name): int(count) for name, count in rows_of(await uow.connection.exec_driver_sql(_COUNTS))
            }
            for code, cluster in clusters.items():
                if service in cluster.services:
                    here = standing.get(code, Standing())
                    parity = await last_run(uow.connection, code)
                    rows.append(
                        {"system": f"{code}/{service}", **asdict(here), "quarantine": waiting.get(code, 0)}
                        | {"parity": None if parity is None else asdict(parity)}
                    )
    return sorted(rows, key=lambda row: row["system"])


async def gate(service: str, settings: ServiceSettings, cluster: str) -> list[Condition]:
    """The conditions for switching this former system."""
    queues = await _waiting_in_queues(service, settings)
    async with transaction(service, settings, "cutover") as uow:
        return await _conditions(uow, service, cluster, queues)


async def make_move(
    service: str,
    settings: ServiceSettings,
    cluster: str,
    which: Move,
    *,
    by: str,
    reason: str,
    overrule: Collection[str] = (),
) -> Standing:
    """Move it on or back. Raises CannotAct, with what failed and the command that mends it."""
    queues = await _waiting_in_queues(service, settings) if which == "switch" else {}
    async with transaction(service, settings, "cutover") as uow:
        overruled: list[str] = []
        if which == "switch":
            failed = [one for one in await _conditions(uow, service, cluster, queues) if not one.holds]
            if left := [one for one in failed if one.name not in overrule or one.name == "mirror"]:
                lines = [f"{one.name}: {one.told}. {one.mend}" for one in left]
                raise CannotAct("\n".join([f"{cluster}/{service} cannot be switched:", *lines]))
            overruled = [one.name for one in failed]
        try:
            return await move(uow, service, cluster, which, by=by, reason=reason, overruled=overruled)
        except MoveError as error:
            raise CannotAct(str(error)) from None


async def is_retired(service: str, settings: ServiceSettings, cluster: str) -> bool:
    """Whether a former system has reached its end."""
    async with transaction(service, settings, "cutover") as uow:
        return (await stages.all_standings(uow.connection)).get(cluster, Standing()).stage == "retired"


async def history(service: str, settings: ServiceSettings, cluster: str) -> list[dict[str, Any]]:
    """Every move of a former system, the newest first."""
    async with transaction(service, settings, "cutover") as uow:
        names = ("epoch", "stage", "at", "by", "reason", "overruled")
        rows = rows_of(await uow.connection.exec_driver_sql(_HISTORY, (cluster,)))
        return [dict(zip(names, row, strict=True)) for row in rows]


async def note_backup(services: Mapping[str, ServiceSettings], by: str, note: str) -> None:
    """Remember in every service's database that all were backed up now."""
    for service, settings in services.items():
        async with transaction(service, settings, "cutover") as uow:
            await uow.connection.exec_driver_sql("insert into backups (by, note) values ($1, $2)", (by, note))


# --- quarantine ----------------------------------------------------------------------------------------------------


async def quarantined(
    services: Mapping[str, ServiceSettings], cluster: str | None, state: str | None
) -> list[dict[str, Any]]:
    """What is or was in quarantine, without its content."""
    rows: list[dict[str, Any]] = []
    for service, settings in services.items():
        async with transaction(service, settings, "quarantine") as uow:
            rows += [
                {"id": f"{service}:{one.number}", "service": service, **_without_body(one)}
                for one in await quarantine.listed(uow.connection, cluster, state)
            ]
    return rows


async def late_message(service: str, settings: ServiceSettings, number: int) -> dict[str, Any]:
    """One message whole, beside what is held now of the record that it is about. Raises NotFound."""
    async with transaction(service, settings, "quarantine") as uow:
        found = await quarantine.one(uow.connection, number)
        if found is None:
            raise NotFound(f"there is no {service}:{number} in quarantine")
        said = orjson.loads(found.body)["data"]
        held = await late.held(uow, service, found.cluster, said)
        shown = None if held is None else held.get("written", held)
        return {"id": f"{service}:{number}", **_without_body(found), "said": said, "held": shown}


async def decide_late(
    service: str, settings: ServiceSettings, numbers: Sequence[int], *, apply: bool, by: str, reason: str
) -> list[str]:
    """Apply or dismiss late messages; all of them or, if one cannot be, none. Raises CannotAct."""
    decide = late.apply if apply else late.dismiss
    async with transaction(service, settings, "quarantine") as uow:
        try:
            return [
                f"{service}:{(await decide(uow, service, number, by=by, reason=reason)).number}" for number in numbers
            ]
        except late.LateError as error:
            raise CannotAct(f"{error}. Nothing was done") from None


def _without_body(one: quarantine.Late) -> dict[str, Any]:
    return {name: value for name, value in asdict(one).items() if name not in ("body", "number")}


# --- conditions ----------------------------------------------------------------------------------------------------


async def _conditions(uow: Any, service: str, cluster: str, queues: Mapping[str, int]) -> list[Condition]:
    standing = (await stages.standings(uow.connection, [cluster]))[cluster]
    parity = await last_run(uow.connection, cluster)
    return await conditions(
        uow.connection, service, cluster, standing, queues, parity, commands=service in HAS_COMMANDS
    )


async def _waiting_in_queues(service: str, settings: ServiceSettings) -> dict[str, int]:
    names = [one.queue_name for one in import_module(f"services.{service}.consumers").SUBSCRIPTIONS]
    try:
        async with await aio_pika.connect(settings.broker_url, timeout=5) as connection:
            channel = await connection.channel()
            found = [await channel.declare_queue(name, passive=True) for name in names]
    except (OSError, TimeoutError, AMQPError) as error:
        raise Unreachable(
            f"the broker does not answer ({type(error).__name__}): its queues cannot be looked at"
        ) from None
    return {queue.name: queue.declaration_result.message_count or 0 for queue in found}
