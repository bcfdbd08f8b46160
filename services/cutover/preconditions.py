"""What must hold before a former system is switched or rolled back: conditions, each with what mends it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.cutover.stages import StageState
from shared.persistence.database import rows_of

PARITY_IS_FRESH = timedelta(hours=24)
REHEARSAL_IS_FRESH = timedelta(days=7)
REHEARSAL_COVERS = timedelta(days=365)
"""How far back a rehearsal has to go: dues are by the year in every former system, so a year has each of them once."""
BACKUP_IS_FRESH = timedelta(hours=24)
STUCK_SECONDS = 10
"""An announcement that waits for longer is not merely on its way, as that of the move before this one may be."""

NEVER_OVERRULED = frozenset({"mirror", "live", "objections"})
"""Conditions without which the move is none, or would be against the law."""

_WAITING = """
    select (select count(*) from dead_letters where status in ('parked', 'replaying')
                and (routing_key = $1 or starts_with(routing_key, $1 || '.'))),
           (select count(*) from outbox where created_at < now() - make_interval(secs => $2)),
           (select max(at) from backups), now()
"""
_LATE = "select count(*) from quarantine where cluster = $1 and state = 'waiting'"


@dataclass(frozen=True, slots=True)
class Condition:
    """``name`` is a stable word by which it can be overruled, ``detail`` what was found.

    ``remedy`` is the command that does something about it, and ``http`` the same over HTTP, where there is one.
    """

    name: str
    holds: bool
    detail: str
    remedy: str
    http: str | None = None

    def as_json(self) -> dict[str, Any]:
        """For programs, also under the names of the version before."""
        remedy, http = (None, None) if self.holds else (self.remedy, self.http)
        shown = {"name": self.name, "holds": self.holds, "detail": self.detail, "remedy": remedy, "http": http}
        return shown | {"told": self.detail, "mend": remedy, "call": http}


@dataclass(frozen=True, slots=True)
class Parity:
    """The newest comparison with what the former system holds."""

    at: datetime
    open_differences: int


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The newest rehearsal: of what was done since which day, and how many outcomes were compared, by what was asked.

    ``comparable`` is how many records there are that could have been compared; it is looked at where none was, else 0.
    """

    at: datetime
    open_differences: int
    since: date
    compared: Mapping[str, int]
    comparable: int = 0


@dataclass(frozen=True, slots=True)
class Writers:
    """How many may write here once the former system no longer may; None where that is not known.

    ``remedy`` is the command that makes one more, or makes it known.
    """

    count: int | None
    remedy: str


async def conditions(
    connection: AsyncConnection,
    service: str,
    cluster: str,
    state: StageState,
    queues: Mapping[str, int],
    parity: Parity | None,
    rehearsal: Rehearsed | None,
    writers: Writers,
    *,
    takes_commands: bool,
) -> list[Condition]:
    """Every condition for switching this former system, in the order in which to see to them.

    ``queues`` has the messages that wait in each of the service's queues. A service that takes no commands of its own,
    or that nobody has a key for, could not be written to once the former system no longer may.
    """
    system = f"{cluster}/{service}"
    # The database's clock, which wrote the others, tells how old they are: that of this process may be wrong.
    ((letters, outgoing, backed_up_at, now),) = rows_of(
        await connection.exec_driver_sql(_WAITING, (f"{cluster}.{service}", STUCK_SECONDS))
    )
    waiting = {name: count for name, count in queues.items() if count}
    return [
        _mirror(system, state),
        _parity(system, parity, now),
        _rehearsal(system, rehearsal, now),
        Condition(
            "queues",
            not waiting,
            f"{sum(waiting.values())} messages wait in {', '.join(waiting)}" if waiting else "no message waits",
            "traboule status, and wait until they are applied",
        ),
        Condition(
            "outbox",
            outgoing == 0,
            f"{outgoing} announcements have waited for more than {STUCK_SECONDS} s to be sent",
            "traboule status, and wait until they are sent",
        ),
        Condition(
            "dead-letters",
            letters == 0,
            f"{letters} of its messages are parked",
            f"traboule dead-letters list -s {service}",
        ),
        await quarantine(connection, service, cluster),
        _commands(service, takes_commands),
        _writers(writers),
        _backup(backed_up_at, now),
    ]


async def conditions_for_rollback(
    connection: AsyncConnection, service: str, cluster: str, state: StageState, unsettled: Sequence[Condition]
) -> list[Condition]:
    """Every condition for giving the authority back; ``unsettled`` is what the way back still has to carry."""
    system = f"{cluster}/{service}"
    return [
        Condition(
            "live",
            state.stage == "live",
            f"it is in stage {state.stage}",
            f"none: only what is live can go back; see traboule cutover history {system}",
        ),
        await quarantine(connection, service, cluster),
        *unsettled,
    ]


async def quarantine(connection: AsyncConnection, service: str, cluster: str) -> Condition:
    """What the former system said too late waits for nobody: it would be forgotten by whoever moves on."""
    late = (await connection.exec_driver_sql(_LATE, (cluster,))).scalar_one()
    system = f"{cluster}/{service}"
    return Condition(
        "quarantine",
        late == 0,
        f"{late} late messages wait for a person",
        f"traboule quarantine list {system}",
        f"GET /cutover/{system}/quarantine",
    )


def failed(result: Sequence[Condition]) -> list[Condition]:
    """Those that do not hold."""
    return [condition for condition in result if not condition.holds]


def _mirror(system: str, state: StageState) -> Condition:
    detail = f"it is in stage {state.stage}"
    if state.stage != "legacy":
        remedy = f"none: only what is mirrored can be switched; see traboule cutover history {system}"
        return Condition("mirror", state.stage == "mirror", detail, remedy)
    remedy = f'traboule cutover mirror {system} --reason "…"'
    return Condition(
        "mirror", False, detail, remedy, f'POST /cutover/{system}/moves {{"move": "mirror", "reason": "…"}}'
    )


def _parity(system: str, parity: Parity | None, now: datetime) -> Condition:
    remedy = f"traboule parity --as {system} EXPORT-FILE"
    if parity is None:
        return Condition("parity", False, "it was never compared with what the former system holds", remedy)
    detail = f"compared at {parity.at:%Y-%m-%d %H:%M} UTC, {parity.open_differences} open differences"
    if parity.open_differences:
        http = f"GET /cutover/{system}/parity"
        return Condition("parity", False, detail, f"traboule differences list --as {system}", http)
    return Condition("parity", now - parity.at <= PARITY_IS_FRESH, detail, remedy)


def _rehearsal(system: str, rehearsal: Rehearsed | None, now: datetime) -> Condition:
    remedy = f"traboule rehearse {system}"
    if rehearsal is None:
        return Condition("rehearsal", False, "what we would have done was never compared with what it did", remedy)
    compared = ", ".join(f"{name} {count}" for name, count in rehearsal.compared.items())
    detail = (
        f"rehearsed at {rehearsal.at:%Y-%m-%d %H:%M} UTC what was done since {rehearsal.since} ({compared}), "
        f"{rehearsal.open_differences} open differences"
    )
    if rehearsal.at.astimezone(UTC).date() - rehearsal.since < REHEARSAL_COVERS:
        return Condition("rehearsal", False, f"{detail}: it has to go back a year", remedy)
    if rehearsal.comparable and not any(rehearsal.compared.values()):
        detail = f"{detail}: it compared nothing, and {rehearsal.comparable} records are held"
        return Condition("rehearsal", False, detail, f"{remedy} --since DAY, a day after which it did something")
    if rehearsal.open_differences:
        return Condition("rehearsal", False, detail, f"traboule differences list --as {system} --rehearsal")
    return Condition("rehearsal", now - rehearsal.at <= REHEARSAL_IS_FRESH, detail, remedy)


def _commands(service: str, takes_commands: bool) -> Condition:
    return Condition(
        "commands",
        takes_commands,
        "staff can write here" if takes_commands else f"{service} takes no commands of its own yet",
        "none: nobody could write once the former system no longer may, so wait for the version that has them",
    )


def _writers(writers: Writers) -> Condition:
    if writers.count is None:
        return Condition("writers", False, "it is not known here how many people and keys may write", writers.remedy)
    return Condition("writers", writers.count > 0, f"{writers.count} people and keys may write", writers.remedy)


def _backup(at: datetime | None, now: datetime) -> Condition:
    remedy = (
        'traboule backup FOLDER; or, after a backup of your own, traboule cutover note-backup --note "where it lies"'
    )
    http = 'POST /cutover/backups {"note": "where it lies"}'
    if at is None:
        return Condition("backup", False, "no backup was ever noted", remedy, http)
    fresh = now - at <= BACKUP_IS_FRESH
    return Condition("backup", fresh, f"the last backup was noted at {at:%Y-%m-%d %H:%M} UTC", remedy, http)
