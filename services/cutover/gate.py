"""What must hold before a former system is switched: a list of conditions, each with the command that mends it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.cutover.stages import Standing
from shared.persistence.database import rows_of

PARITY_IS_FRESH = timedelta(hours=24)
BACKUP_IS_FRESH = timedelta(hours=24)

_WAITING = """
    select (select count(*) from dead_letters where status in ('parked', 'replaying')
                and (routing_key = $1 or starts_with(routing_key, $1 || '.'))),
           (select count(*) from quarantine where cluster = $2 and state = 'waiting'),
           (select count(*) from outbox),
           (select max(at) from backups)
"""


@dataclass(frozen=True, slots=True)
class Condition:
    """``name`` is a stable word by which it can be overruled, ``told`` what was found, ``mend`` what to do about it."""

    name: str
    holds: bool
    told: str
    mend: str

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {"name": self.name, "holds": self.holds, "told": self.told, "mend": None if self.holds else self.mend}


@dataclass(frozen=True, slots=True)
class Parity:
    """The newest comparison with what the former system holds."""

    at: datetime
    open_differences: int


async def conditions(
    connection: AsyncConnection,
    service: str,
    cluster: str,
    standing: Standing,
    queues: Mapping[str, int],
    parity: Parity | None,
    *,
    commands: bool,
) -> list[Condition]:
    """Every condition for switching this former system, in the order in which to see to them.

    ``queues`` has the messages that wait in each of the service's queues; ``commands`` says whether the service has
    commands of its own, without which nobody could write once the former system no longer may.
    """
    system = f"{cluster}/{service}"
    ((letters, late, outgoing, backed_up_at),) = rows_of(
        await connection.exec_driver_sql(_WAITING, (f"{cluster}.{service}", cluster))
    )
    waiting = {name: count for name, count in queues.items() if count}
    return [
        Condition(
            "mirror",
            standing.stage == "mirror",
            f"it is in stage {standing.stage}",
            f"traboule cutover mirror {system} --reason …" if standing.stage == "legacy" else "it can only be mirrored",
        ),
        _parity(system, parity),
        Condition(
            "queues",
            not waiting,
            f"{sum(waiting.values())} messages wait in {', '.join(waiting)}" if waiting else "no message waits",
            "traboule status, and wait until they are applied",
        ),
        Condition("outbox", outgoing == 0, f"{outgoing} announcements wait to be sent", "traboule status"),
        Condition(
            "dead-letters",
            letters == 0,
            f"{letters} of its messages are parked",
            f"traboule dead-letters list -s {service}",
        ),
        Condition(
            "quarantine", late == 0, f"{late} late messages wait for a person", f"traboule quarantine list {system}"
        ),
        Condition(
            "commands",
            commands,
            "staff can write here" if commands else f"{service} takes no commands of its own yet",
            "nobody could write once the former system no longer may: wait for the version that has them",
        ),
        _backup(backed_up_at),
    ]


def _parity(system: str, parity: Parity | None) -> Condition:
    mend = f"traboule parity --as {system} EXPORT-FILE"
    if parity is None:
        return Condition("parity", False, "it was never compared with what the former system holds", mend)
    age = datetime.now(UTC) - parity.at
    told = f"compared at {parity.at:%Y-%m-%d %H:%M} UTC, {parity.open_differences} open differences"
    if parity.open_differences:
        mend = f"traboule differences list --as {system}"
    return Condition("parity", parity.open_differences == 0 and age <= PARITY_IS_FRESH, told, mend)


def _backup(at: datetime | None) -> Condition:
    mend = "back the databases up, then traboule cutover note-backup"
    if at is None:
        return Condition("backup", False, "no backup was ever noted", mend)
    fresh = datetime.now(UTC) - at <= BACKUP_IS_FRESH
    return Condition("backup", fresh, f"the last backup was noted at {at:%Y-%m-%d %H:%M} UTC", mend)
