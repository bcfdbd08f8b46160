"""The statistics of each day, kept from the first one on: what members were yesterday no view can tell.

A day is France's, by the database's clock. Its numbers are those of the first look after its midnight.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, Literal, get_args

from sqlalchemy.ext.asyncio import AsyncEngine

from services.membership.rows import Rows
from services.membership.views.queries import STATISTICS
from shared.persistence.database import rows_of

By = Literal["total", "several-clusters", "cluster", "lineage", "departement"]
KINDS: Final = get_args(By)

KEEP_EVERY: Final = 300.0
"""Seconds between two looks at whether today's are kept."""

# Only one of several replicas keeps them, and all rows of a day are of one moment.
_TURN = "select pg_advisory_xact_lock(hashtext('daily_statistics'))"
_TODAY = """
    select today, exists (select from daily_statistics where day = today)
    from (select (now() at time zone 'Europe/Paris')::date as today) as t
"""
_KEEP = f"""
    insert into daily_statistics (day, kind, key, members, active, paid_up)
    select $1, kind, coalesce(key, ''), members, active, paid_up from ({STATISTICS}) as s
"""
_DAYS = """
    select day as "on", nullif(key, '') as code, members, active, paid_up from daily_statistics
    where kind = $1 and day between $2 and $3 order by day, key
"""


async def keep_today(engine: AsyncEngine) -> None:
    """Keep today's statistics, unless they are kept already; a day on which there is no member has none."""
    async with engine.begin() as connection:
        await connection.exec_driver_sql(_TURN)
        ((today, kept),) = rows_of(await connection.exec_driver_sql(_TODAY))
        if not kept:
            await connection.exec_driver_sql(_KEEP, (today,))


async def days(rows: Rows, by: By, first: date, last: date) -> list[Mapping[str, Any]]:
    """Each day's numbers from ``first`` to ``last``: ``on``, ``code``, ``members``, ``active``, ``paid_up``."""
    return [dict(row) for row in await rows.fetch(_DAYS, by, first, last)]
