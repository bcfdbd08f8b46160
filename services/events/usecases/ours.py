"""What every use case asks first: whether the gathering is there, and whether we are the authority for it."""

from collections.abc import Collection
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.cutover.stages import lock_stages
from services.events.gatherings import queries
from services.operations.binding import RefusedError


async def theirs(connection: AsyncConnection, clusters: Collection[str]) -> set[str]:
    """The clusters whose former system has the gatherings. Until we commit nobody moves one."""
    at = await lock_stages(connection, clusters)
    return {cluster for cluster, stage in at.items() if not stage.is_ours}


async def require_ours(connection: AsyncConnection, cluster: str) -> None:
    """Raises RefusedError where the cluster's former system still has its gatherings."""
    if await theirs(connection, [cluster]):
        detail = f"{cluster}/events still has its gatherings: move it over first (traboule cutover switch)"
        raise RefusedError("not-the-authority", detail)


async def gathering_of_session(connection: AsyncConnection, session_id: str) -> dict[str, Any]:
    """The planned gathering of this session, which is ours. Raises RefusedError."""
    if (kept := await queries.of_session(connection, session_id)) is None:
        raise RefusedError("session-unknown", "there is no such session: see `traboule events list`")
    await require_planned(connection, kept)
    return kept


async def require_planned(connection: AsyncConnection, gathering: dict[str, Any]) -> None:
    """Raises RefusedError where it is called off, or not ours."""
    await require_ours(connection, gathering["cluster"])
    if gathering["state"] != "planned":
        detail = f"the gathering is {gathering['state']}: plan another one, like this one"
        raise RefusedError("gathering-over", detail)
