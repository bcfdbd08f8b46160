"""The way back: what a former system would lose by a rollback, seen to before it.

A service that writes has a :class:`services.cutover.definition.WriteBack`.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import orjson

from schemas.base import ForFormerSystem
from schemas.catalogue import FACTS
from schemas.envelope import routing_key
from services.cutover.definition import CutoverDefinition, UnconfirmedChange, WriteBack
from services.cutover.preconditions import Condition
from services.cutover.quarantine import Late
from services.cutover.stages import lock_stages
from shared.messaging.topology import OWN_PUBLISHER, way_back_queue
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.database import rows_of

FACT_OF = {fact.service: fact for fact in FACTS if issubclass(fact, ForFormerSystem)}
"""What each service that writes tells former systems."""

_ON_ITS_WAY = """
    select (select count(*) from outbox where routing_key = $1),
           (select count(*) from dead_letters where status = 'parked' and routing_key = $1)
"""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found of one record when it was turned round: it holds for as long as the digest is the same."""

    digest: bytes | None
    new_id: bool
    left_out: tuple[str, ...]


Inspections: TypeAlias = Mapping[str, Inspection]
"""By record id."""


async def unconfirmed(
    uow: UnitOfWork, definition: CutoverDefinition, cluster: str
) -> AsyncGenerator[UnconfirmedChange]:
    """Every record of the cluster that its former system has not said as it is here, by id."""
    if (back := definition.write_back) is None:
        return
    async for change in back.unconfirmed(uow, cluster, list(await back.digests(uow, cluster))):
        yield change


async def page(
    uow: UnitOfWork, back: WriteBack, cluster: str, after: str, limit: int
) -> tuple[int, Sequence[UnconfirmedChange], str | None]:
    """How many records its former system has not said as they are here; those after one, and the id to go on after."""
    number = len(await back.digests(uow, cluster))
    following = list(await back.digests(uow, cluster, after, limit + 1))
    shown = following[:limit]
    changes = [change async for change in back.unconfirmed(uow, cluster, shown)]
    return number, changes, shown[-1] if len(following) > limit else None


async def on_its_way(uow: UnitOfWork, definition: CutoverDefinition, cluster: str) -> tuple[int, int]:
    """How many messages for the former system are still to be sent, and how many it gave back, which are parked."""
    key = routing_key(OWN_PUBLISHER, FACT_OF[definition.name], cluster)
    ((unsent, refused),) = rows_of(await uow.connection.exec_driver_sql(_ON_ITS_WAY, (key,)))
    return unsent, refused


async def publish_current_of(uow: UnitOfWork, definition: CutoverDefinition, late: Late) -> None:
    """Tell a former system what we hold of the record of a late message, once that was applied or dismissed.

    Only while it could come back: once it is the authority again, or retired, there is nothing to tell.
    """
    if (back := definition.write_back) is None or (await lock_stages(uow.connection, [late.cluster]))[
        late.cluster
    ].stage != "live":
        return
    answer = orjson.loads(late.body)["data"]
    await back.publish_current(uow, late.cluster, answer, late.message_id)


async def look(uow: UnitOfWork, definition: CutoverDefinition, cluster: str, before: Inspections) -> Inspections:
    """What the former system has no way to say, of every record that it has not said as it is here.

    ``before`` is an earlier look: what is as it was then is not turned round again. To turn a record round takes up to
    a millisecond, so a rollback looks before it takes the lock that writers wait for, and once more under it.
    """
    if (back := definition.write_back) is None:
        return {}
    digests = await back.digests(uow, cluster)
    known = {name: before[name] for name, digest in digests.items() if name in before and before[name].digest == digest}
    result = back.unconfirmed(uow, cluster, [name for name in digests if name not in known])
    return known | {
        change.record_id: Inspection(change.digest, change.new_id, change.left_out) async for change in result
    }


async def unsettled(
    uow: UnitOfWork, definition: CutoverDefinition, cluster: str, waiting: int, looked_before: Inspections
) -> list[Condition]:
    """What would be lost by rolling back now, as conditions; ``waiting`` messages wait in the way-back queue."""
    if definition.write_back is None:
        return []
    unsent, refused = await on_its_way(uow, definition, cluster)
    inspections = (await look(uow, definition, cluster, looked_before)).values()
    new_ids, lossy = (
        sum(inspection.new_id for inspection in inspections),
        sum(bool(inspection.left_out) for inspection in inspections),
    )
    fields = Counter(name for inspection in inspections for name in inspection.left_out)
    system = f"{cluster}/{definition.name}"
    return [
        _read(system, way_back_queue(cluster, definition.name).name, waiting, unsent, refused),
        _expressible(system, lossy, fields),
        _new_ids(system, new_ids),
    ]


def _read(system: str, queue: str, waiting: int, unsent: int, refused: int) -> Condition:
    counts = {f"wait in {queue}": waiting, "are to be sent there": unsent, "were given back and are parked": refused}
    texts = [f"{count} messages {where}" for where, count in counts.items() if count]
    remedy = (
        f"have the former system read its queue; or traboule cutover write-back {system} --export FILE.csv, "
        "import that there, and --overrule way-back-read"
    )
    return Condition("way-back-read", not texts, ", ".join(texts) or f"nothing waits in {queue}", remedy)


def _expressible(system: str, lossy: int, fields: Counter[str]) -> Condition:
    detail = "nothing that was written here is left out there"
    if lossy:
        named = ", ".join(f"{name} ({count})" for name, count in sorted(fields.items()))
        detail = f"{lossy} records say what its columns cannot: {named}"
    remedy = f"traboule cutover write-back {system}, note there by hand what is left out, and --overrule expressible"
    return Condition("expressible", not lossy, detail, remedy)


def _new_ids(system: str, count: int) -> Condition:
    detail = f"{count} records were made here, and get another id there" if count else "no record was made here"
    remedy = (
        f"traboule cutover write-back {system}; have it say same_as when it publishes them, or confirm them afterwards "
        "(traboule duplicates confirm), and --overrule new-ids"
    )
    return Condition("new-ids", not count, detail, remedy)
