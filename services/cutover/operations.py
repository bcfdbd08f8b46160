"""What operators ask about one former system: told and done in one transaction of the service that keeps its stage.

The ``traboule`` command brings a transaction of its own; what comes by the HTTP gateway runs in the service's own.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, NamedTuple

from schemas.cutover_requests import CutoverAnswered
from services.cutover import moves, preconditions, stages, write_back
from services.cutover.definition import CutoverDefinition
from services.cutover.parity import runs
from services.cutover.preconditions import NEVER_OVERRULED, Condition, failed
from services.cutover.rehearsal.running import last_rehearsal
from services.cutover.stages import MOVES, Move, MoveError, StageState
from services.operations.binding import RefusedError
from shared.messaging.topology import way_back_queue
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.database import rows_of

GatedMove = Literal["switch", "rollback"]
GATED: Final[frozenset[Move]] = frozenset({"switch", "rollback"})
"""Moves for which conditions must hold, or be overruled."""

_HISTORY = """
    select epoch, stage, at, by, reason, overruled from stage_history where cluster = $1 order by epoch desc
"""
_COUNTS = "select cluster, count(*) from quarantine where state = 'waiting' group by cluster"
_NOTE_BACKUP = "insert into backups (by, note) values ($1, $2)"
_NEVER_BACK: Final = 3
"""The first epoch in which a mirror can be one that was rolled back to: mirror, live, and mirror again."""


class CutoverError(RefusedError):
    """What was asked about a former system cannot be told or done."""


class NotMetError(CutoverError):
    """Conditions that do not hold and were not overruled; the message has a line for each, with what mends it."""

    def __init__(self, system: str, which: Move, unmet: Sequence[Condition]) -> None:
        verb = {"switch": "switched", "rollback": "rolled back"}[which]
        lines = [f"{condition.name}: {condition.detail}. {condition.remedy}" for condition in unmet]
        super().__init__("conditions-not-met", "\n".join([f"{system} cannot be {verb}:", *lines]))
        self.unmet = unmet

    def as_json(self) -> dict[str, Any]:
        """The refusal with its conditions, as it is answered."""
        return super().as_json() | {"conditions": [condition.as_json() for condition in self.unmet]}


@dataclass(frozen=True, slots=True)
class Moved:
    """Where a former system stands after a move; ``already`` when it had been made before, and nothing was done."""

    state: StageState
    already: bool


class _Looked(NamedTuple):
    """What takes its time, looked at before the lock for which writes wait: the broker, what was written, and names."""

    queues: Mapping[str, int]
    written: write_back.Inspections
    up: Sequence[Condition]


# --- moving --------------------------------------------------------------------------------------------------------


async def conditions(uow: UnitOfWork, definition: CutoverDefinition, cluster: str, which: GatedMove) -> list[Condition]:
    """Every condition for switching or rolling back, as it is now. Raises BrokerUnavailableError."""
    looked = await _look(uow, definition, cluster, which)
    # Without a lock: it is only told, and whoever moves should not wait until all is looked at.
    return await _conditions(uow, definition, cluster, which, await _read_stage(uow, cluster), looked)


async def move(
    uow: UnitOfWork,
    definition: CutoverDefinition,
    cluster: str,
    which: Move,
    *,
    by: str,
    reason: str,
    overrule: Collection[str] = (),
) -> Moved:
    """Move it on or back, and announce it; one that was made already is told, and not made again.

    Raises NotMetError, CutoverError ``move-impossible`` and BrokerUnavailableError.
    """
    # An operator whose terminal died in the middle asks again, and must not be told that it is impossible.
    if _made((state := await _read_stage(uow, cluster)), which):
        return Moved(state, already=True)
    looked = await _look(uow, definition, cluster, which)
    if which == "rollback":
        looked = looked._replace(written=await write_back.look(uow, definition, cluster, {}))
    state = await stages.alone(uow.connection, cluster)
    if _made(state, which):
        return Moved(state, already=True)
    overruled: list[str] = []
    try:
        _check_possible(cluster, which, state)
        if which in GATED:
            every = await _conditions(uow, definition, cluster, which, state, looked)
            if unknown := sorted({*overrule} - {item.name for item in every}):
                names = ", ".join(item.name for item in every)
                raise CutoverError("move-impossible", f"there is no condition {', '.join(unknown)}; there are {names}")
            result = failed(every)
            if left := [item for item in result if item.name not in overrule or item.name in NEVER_OVERRULED]:
                raise NotMetError(f"{cluster}/{definition.name}", which, left)
            overruled = [item.name for item in result]
        made = await moves.move(uow, definition.name, cluster, which, by=by, reason=reason, overruled=overruled)
    except MoveError as error:
        raise CutoverError("move-impossible", str(error)) from None
    return Moved(made, already=False)


async def _read_stage(uow: UnitOfWork, cluster: str) -> StageState:
    return (await stages.read_stages(uow.connection)).get(cluster, StageState())


def _made(state: StageState, which: Move) -> bool:
    """Whether this move led to where it stands. A mirror that never was live was not rolled back to."""
    return state.stage == MOVES[which][1] and not (which == "rollback" and state.epoch < _NEVER_BACK)


def _check_possible(cluster: str, which: Move, state: StageState) -> None:
    """Raises MoveError. A system that must be mirrored before it is switched is told with all that fails besides."""
    if state.stage != MOVES[which][0] and not (which == "switch" and state.stage == "legacy"):
        raise MoveError(cluster, which, state)


async def _look(uow: UnitOfWork, definition: CutoverDefinition, cluster: str, which: Move) -> _Looked:
    queues = await _queues(uow, definition, cluster, which)
    return _Looked(queues, {}, await definition.looked_up_conditions(uow, cluster) if which == "switch" else ())


async def _queues(uow: UnitOfWork, definition: CutoverDefinition, cluster: str, which: Move) -> dict[str, int]:
    match which:
        case "switch":
            # What is answered at the gateway waits for us, and not the other way round.
            own = [route for route in definition.routes if not issubclass(route.fact, CutoverAnswered)]
            return await uow.count_waiting([item.queue_name for item in own])
        case "rollback":
            return await uow.count_waiting([way_back_queue(cluster, definition.name).name])
        case _:
            return {}


async def _conditions(
    uow: UnitOfWork,
    definition: CutoverDefinition,
    cluster: str,
    which: Move,
    state: StageState,
    looked: _Looked,
) -> list[Condition]:
    connection = uow.connection
    if which == "rollback":
        unsettled = await write_back.unsettled(uow, definition, cluster, sum(looked.queues.values()), looked.written)
        unsettled = [*unsettled, *await definition.rollback_conditions(uow, cluster)]
        return await preconditions.conditions_for_rollback(connection, definition.name, cluster, state, unsettled)
    parity = await runs.last_run(connection, cluster)
    rehearsal = await last_rehearsal(connection, definition, cluster)
    every = await preconditions.conditions(
        connection,
        definition.name,
        cluster,
        state,
        looked.queues,
        parity,
        rehearsal,
        await definition.count_writers(connection),
        takes_commands=definition.write_back is not None,
    )
    return [*every, *looked.up, *await definition.switch_conditions(uow, cluster)]


# --- reading -------------------------------------------------------------------------------------------------------


async def board(uow: UnitOfWork, definition: CutoverDefinition, clusters: Collection[str]) -> list[dict[str, Any]]:
    """These clusters' former systems: where each stands, since when, the newest parity, what waits in quarantine."""
    state = await stages.read_stages(uow.connection)
    waiting: dict[str, int] = {str(name): count for name, count in rows_of(await _sql(uow, _COUNTS))}
    rows: list[dict[str, Any]] = []
    for cluster in clusters:
        ours = state.get(cluster, StageState())
        parity = await runs.last_run(uow.connection, cluster)
        rows.append(
            {
                "system": f"{cluster}/{definition.name}",
                **asdict(ours),
                "quarantine": waiting.get(cluster, 0),
                "parity": None if parity is None else asdict(parity),
            }
        )
    return rows


async def history(uow: UnitOfWork, cluster: str) -> list[dict[str, Any]]:
    """Every move of a former system, the newest first."""
    names = ("epoch", "stage", "at", "by", "reason", "overruled")
    return [dict(zip(names, row, strict=True)) for row in rows_of(await _sql(uow, _HISTORY, cluster))]


async def read_stage(uow: UnitOfWork, definition: CutoverDefinition, cluster: str) -> dict[str, Any]:
    """One line of the board, with why it was moved there and what was overruled."""
    [row] = await board(uow, definition, [cluster])
    made = await history(uow, cluster)
    newest = made[0] if made else {"reason": None, "overruled": []}
    return row | {"authority": authority(row["stage"]), **{name: newest[name] for name in ("reason", "overruled")}}


def authority(stage: str) -> str:
    """Who decides what is so in this stage."""
    return "Traboule" if stage in stages.OURS else "former system"


async def note_backup(uow: UnitOfWork, *, by: str, note: str) -> None:
    """Remember that the database was backed up now."""
    await _sql(uow, _NOTE_BACKUP, by, note)


async def written_back(
    uow: UnitOfWork, definition: CutoverDefinition, cluster: str, *, after: str, limit: int
) -> dict[str, Any]:
    """The way back: how far what was written here has come, and a page of the records that its former system has not
    said so since, by id. ``unread`` is None where there is no queue.

    Raises CutoverError ``no-way-back`` and BrokerUnavailableError.
    """
    if (back := definition.write_back) is None:
        raise CutoverError(
            "no-way-back",
            f"{definition.name} takes no commands of its own yet, so nothing is written here that "
            f"{cluster}/{definition.name} does not know",
        )
    queue = way_back_queue(cluster, definition.name).name
    unread = (await uow.count_waiting([queue])).get(queue)
    unsent, given_back = await write_back.on_its_way(uow, definition, cluster)
    number, result, following = await write_back.page(uow, back, cluster, after, limit)
    totals = {"queue": queue, "unread": unread, "to_be_sent": unsent, "given_back": given_back, "records": number}
    return totals | {"items": [item.as_json() for item in result], "next": following}


async def _sql(uow: UnitOfWork, statement: str, *values: Any) -> Any:
    return await uow.connection.exec_driver_sql(statement, values)
