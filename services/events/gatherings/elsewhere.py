"""Whether another form gives the seats of a gathering already: two lists of one room seat more than it holds."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.persistence.database import rows_of

# What a former system planned and Traboule took over is a gathering of ours.
_ELSEWHERE: Final = """
    select e.cluster || '/events: ' || e.event_id
    from events e
    where e.status = 'planned' and e.starts_at = any($2::timestamptz[]) and lower(e.title) = lower($1)
      and not exists (select from gatherings g where g.cluster = e.cluster and g.event_id = e.event_id
                                                 and g.state <> 'given-back')
    union
    select g.cluster || ': ' || g.gathering_id
    from gatherings g join sessions s using (gathering_id)
    where g.state = 'planned' and s.starts_at = any($2::timestamptz[]) and lower(g.title) = lower($1)
    order by 1
"""


async def given_elsewhere(connection: AsyncConnection, title: str, moments: Collection[datetime]) -> list[str]:
    """Planned gatherings of this title that begin at one of these moments, by cluster and id: theirs and ours."""
    return [name for (name,) in rows_of(await connection.exec_driver_sql(_ELSEWHERE, (title, list(moments))))]
