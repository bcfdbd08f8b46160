"""The audit, read: by whom, about whom, since when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.membership.rows import Rows

_SELECT = """
    select id, at, who, name, session, permission, about, cluster, outcome, reason, times from access_audit
    where ($1::text is null or who = $1) and ($2::text is null or about = $2)
      and ($3::text is null or permission = $3) and ($4::timestamptz is null or at >= $4)
      and ($5::bigint is null or id < $5)
    order by id desc limit $6
"""


@dataclass(frozen=True, slots=True)
class AuditFilters:
    """What is left out asks for all."""

    who: str | None = None
    about: str | None = None
    right: str | None = None
    since: datetime | None = None


async def audit(rows: Rows, wanted: AuditFilters, before: int | None, limit: int) -> list[dict[str, Any]]:
    """The newest first, at most ``limit`` older than ``before``."""
    values = (wanted.who, wanted.about, wanted.right, wanted.since, before, limit)
    return [dict(row) for row in await rows.fetch(_SELECT, *values)]
