"""Where each cluster's former system stands, and how it moves on.

::

    legacy ──mirror──► mirror ──switch──► live ──retire──► retired
                          ▲                 │
                          └────rollback─────┘

In ``legacy`` and ``mirror`` the former system is the authority: what it says is applied, and our own commands are
refused. In ``live`` and ``retired`` we are. A cluster of which nothing was ever said is in ``legacy``.

The stage is read inside the transaction of every write that depends on it, under a lock that whoever moves it takes
alone: a write that began before a switch commits before it, and one that comes after sees the new stage. So there is
never a moment with two authorities, nor one without.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.cutover import Stage
from shared.persistence.database import rows_of

Move = Literal["mirror", "switch", "rollback", "retire"]

MOVES: Final[Mapping[Move, tuple[Stage, Stage]]] = {
    "mirror": ("legacy", "mirror"),
    "switch": ("mirror", "live"),
    "rollback": ("live", "mirror"),
    "retire": ("live", "retired"),
}
OURS: Final[frozenset[Stage]] = frozenset({"live", "retired"})
"""The stages in which we are the authority."""

# Locks and reads are two statements: one that waits for its lock would go on to read what it saw before it waited.
_SHARE = "select pg_advisory_xact_lock_shared(hashtext('stage'), hashtext(c)) from unnest($1::text[]) as c"
_ALONE = "select pg_advisory_xact_lock(hashtext('stage'), hashtext($1))"
_READ = "select cluster, stage, epoch, since, by from stages where cluster = any($1::text[])"
_READ_ALL = "select cluster, stage, epoch, since, by from stages order by cluster"
_MOVE = """
    insert into stages (cluster, stage, epoch, since, by) values ($1, $2, $3, now(), $4)
    on conflict (cluster) do update
    set stage = excluded.stage, epoch = excluded.epoch, since = excluded.since, by = excluded.by
    returning since
"""
_REMEMBER = """
    insert into stage_history (cluster, epoch, stage, at, by, reason, overruled) values ($1, $2, $3, now(), $4, $5, $6)
"""


class MoveError(Exception):
    """A former system cannot make this move from where it stands. The message says what it can."""

    def __init__(self, cluster: str, move: Move, state: "StageState") -> None:
        possible = [name for name, (origin, _) in MOVES.items() if origin == state.stage]
        hint = f"from there it can only {' or '.join(possible)}" if possible else "that is its end"
        super().__init__(f"{cluster} is in stage {state.stage}, so it cannot {move}: {hint}")
        self.cluster, self.move, self.state = cluster, move, state


@dataclass(frozen=True, slots=True)
class StageState:
    """``epoch`` counts the moves: 0 is where everything begins. ``since`` and ``by`` are None there."""

    stage: Stage = "legacy"
    epoch: int = 0
    since: datetime | None = None
    by: str | None = None

    @property
    def is_ours(self) -> bool:
        """Whether we are the authority."""
        return self.stage in OURS


async def lock_stages(connection: AsyncConnection, clusters: Iterable[str]) -> dict[str, StageState]:
    """Where each of these clusters stands, and will stand until this transaction ends."""
    asked = sorted(set(clusters))
    await connection.exec_driver_sql(_SHARE, (asked,))
    result = await _read(connection, asked)
    return {cluster: result.get(cluster, StageState()) for cluster in asked}


async def alone(connection: AsyncConnection, cluster: str) -> StageState:
    """Where a cluster stands once writes that are under way are done; until this transaction ends none begins."""
    await connection.exec_driver_sql(_ALONE, (cluster,))
    return (await _read(connection, [cluster])).get(cluster, StageState())


async def read_stages(connection: AsyncConnection) -> dict[str, StageState]:
    """Where every cluster that ever moved stands, without holding anybody up."""
    rows = rows_of(await connection.exec_driver_sql(_READ_ALL))
    return {cluster: StageState(*rest) for cluster, *rest in rows}


async def move(
    connection: AsyncConnection, cluster: str, by_move: Move, *, by: str, reason: str, overruled: Collection[str] = ()
) -> StageState:
    """Move a cluster on or back; waits for writes that are under way. Raises MoveError.

    ``overruled`` are the conditions of the gate that did not hold, and were overruled for this reason.
    """
    state = await alone(connection, cluster)
    origin, target = MOVES[by_move]
    if state.stage != origin:
        raise MoveError(cluster, by_move, state)
    epoch = state.epoch + 1
    since: datetime = (await connection.exec_driver_sql(_MOVE, (cluster, target, epoch, by))).scalar_one()
    await connection.exec_driver_sql(_REMEMBER, (cluster, epoch, target, by, reason, sorted(overruled)))
    return StageState(target, epoch, since, by)


async def _read(connection: AsyncConnection, clusters: Collection[str]) -> dict[str, StageState]:
    rows = rows_of(await connection.exec_driver_sql(_READ, (list(clusters),)))
    return {cluster: StageState(*rest) for cluster, *rest in rows}
