"""All SQL of check-in passes: made, ended, and looked up by the SHA-256 of their token."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.persistence.database import rows_of

PATH: Final = "/p/c"
LASTS: Final = timedelta(hours=6)
"""How long after its session a pass shows names."""
LONGEST: Final = timedelta(hours=12)
"""How long a session takes that has no end."""
TAKES_LATE: Final = timedelta(days=7)
"""How long after that it takes what a phone kept off line: it lets nobody in any more."""

_KEPT: Final = """
    p.pass_id::text, p.session_id::text, p.device, p.author, p.made_at, p.ended_at, s.starts_at, s.ends_at
"""
_MAKE: Final = """
    insert into checkin_passes (pass_id, session_id, digest, device, author, reason, made_at)
    values ($1::uuid, $2::uuid, $3, $4, $5, $6, clock_timestamp()) on conflict do nothing returning 1
"""
_END: Final = """
    update checkin_passes set ended_at = clock_timestamp(), ended_by = $2, end_reason = $3
    where pass_id = $1::uuid and ended_at is null
"""
_BY_ID: Final = f"""
    select {_KEPT} from checkin_passes p join sessions s using (session_id) where p.pass_id = $1::uuid
"""
_OF_SESSION: Final = f"""
    select {_KEPT} from checkin_passes p join sessions s using (session_id)
    where p.session_id = $1::uuid order by p.made_at desc, p.pass_id
"""
_BY_DIGEST: Final = f"""
    select {_KEPT}, p.digest from unnest($1::bytea[]) as n (digest)
    cross join lateral (select * from checkin_passes where digest = n.digest offset 0) p
    cross join lateral (select * from sessions where session_id = p.session_id offset 0) s
"""
_KEYS: Final = "select key from checkins where session_id = $1::uuid and starts_with(key, $2)"


@dataclass(frozen=True, slots=True)
class KeptPass:
    """A pass, and when its session begins and ends."""

    pass_id: str
    session_id: str
    device: str | None
    author: str
    made_at: datetime
    ended_at: datetime | None
    session_starts: datetime
    session_ends: datetime | None

    @property
    def ends_at(self) -> datetime:
        """When it ends by itself; later, if the session is moved."""
        return (self.session_ends or self.session_starts + LONGEST) + LASTS

    def shows(self, now: datetime) -> bool:
        """Whether its holder sees the list."""
        return self.ended_at is None and now < self.ends_at

    def takes(self, came_at: datetime, received_at: datetime) -> bool:
        """Whether who came in then is taken, where the gateway kept it then."""
        in_force = self.ended_at is None or received_at < self.ended_at
        return in_force and came_at < self.ends_at and received_at < self.ends_at + TAKES_LATE

    @property
    def prefix(self) -> str:
        """What the keys of its entries begin with, so that two passes never share one."""
        return f"pass {self.pass_id} "


async def make(connection: AsyncConnection, kept: tuple[str, str, bytes, str | None, str, str]) -> bool:
    """Keep a pass (pass_id, session_id, digest, device, author, reason); False where the digest is another's."""
    return bool((await connection.exec_driver_sql(_MAKE, kept)).all())


async def end(connection: AsyncConnection, pass_id: str, author: str, reason: str) -> None:
    """End it now; one that ended before stays as it is."""
    await connection.exec_driver_sql(_END, (pass_id, author, reason))


async def by_id(connection: AsyncConnection, pass_id: str) -> KeptPass | None:
    """This pass."""
    rows = rows_of(await connection.exec_driver_sql(_BY_ID, (pass_id,)))
    return next((KeptPass(*row) for row in rows), None)


async def of_session(connection: AsyncConnection, session_id: str) -> list[KeptPass]:
    """The passes of a session, the newest first."""
    return [KeptPass(*row) for row in rows_of(await connection.exec_driver_sql(_OF_SESSION, (session_id,)))]


async def by_digest(connection: AsyncConnection, digests: Collection[bytes]) -> dict[bytes, KeptPass]:
    """These passes; those that nobody made are left out."""
    rows = rows_of(await connection.exec_driver_sql(_BY_DIGEST, (sorted(digests),)))
    return {bytes(digest): KeptPass(*rest) for *rest, digest in rows}


async def keys_of(connection: AsyncConnection, kept: KeptPass) -> list[str]:
    """The keys of entries that were taken by this pass, as its page chose them."""
    keys = (await connection.exec_driver_sql(_KEYS, (kept.session_id, kept.prefix))).scalars()
    return sorted(key.removeprefix(kept.prefix) for key in keys)
