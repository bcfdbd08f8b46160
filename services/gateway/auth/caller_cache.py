"""Who may ask: all usable API keys and live sessions in memory, read again every few seconds."""

import asyncio
import contextlib
import hmac
from collections.abc import Mapping
from time import monotonic
from typing import Any

from services.gateway.auth import queries
from services.gateway.auth.caller import Caller, Grant, SignedIn
from services.gateway.auth.keys import hash_secret
from services.gateway.auth.rights import FORMER_ROLES, Role
from services.gateway.auth.session_tokens import hash_token
from services.membership.connections import DatabaseUnavailableError
from services.membership.rows import Rows

_ROLES = frozenset(Role)
REFRESH_SECONDS = 4.0
STALE_SECONDS = 9.0
"""A key that is revoked, and a session that is ended, stops working within this time."""
LOOK_AGAIN_SECONDS = 0.1


class CallerCache:
    """All usable keys and sessions. They are few: two queries read them all, and no request waits but the first."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._keys: Mapping[str, Caller] = {}
        self._sessions: Mapping[bytes, Caller] = {}
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    def known(self, key: str) -> Caller | None:
        """Who holds a key, as far as memory tells; never waits."""
        if not self._fresh_enough():
            return None
        prefix, _, rest = key.partition("_")
        key_id, _, secret = rest.partition("_")
        caller = self._keys.get(key_id)
        if prefix != "trb" or caller is None or not hmac.compare_digest(caller.hash, hash_secret(secret)):
            return None
        return caller if caller.until > monotonic() else None

    async def find(self, key: str) -> Caller | None:
        """Who holds a key; a new one may not be in memory yet. Raises DatabaseUnavailableError."""
        caller = self.known(key)
        if caller is None and key.startswith("trb_"):
            # What somebody else asked for before us may have been read before our key was made.
            await self.refresh()
            caller = self.known(key)
        return caller

    async def signed_in(self, token: str) -> Caller | None:
        """Whose session a cookie belongs to. Raises DatabaseUnavailableError."""
        digest = hash_token(token)
        caller = self._session(digest)
        if caller is None:
            await self.refresh()
            caller = self._session(digest)
        return caller

    async def refresh(self) -> None:
        """Read them again, from a moment after this call on. Raises DatabaseUnavailableError."""
        since = monotonic()
        while self._read_at < since:
            # Wrong keys must not become as many queries.
            await asyncio.sleep(max(0.0, self._read_at + LOOK_AGAIN_SECONDS - monotonic()))
            if self._read_at < since:
                await asyncio.shield(self._start_reading())

    async def close(self) -> None:
        """Wait for what is being read: its connection goes back before the pool is closed."""
        if self._reading is not None:
            await asyncio.wait([self._reading])

    def _session(self, digest: bytes) -> Caller | None:
        # Found by a hash of what was sent, so the time that it takes tells nothing of the token.
        caller = self._sessions.get(digest) if self._fresh_enough() else None
        return caller if caller is not None and caller.until > monotonic() else None

    def _fresh_enough(self) -> bool:
        age = monotonic() - self._read_at
        if age > REFRESH_SECONDS:
            self._start_reading()
        return age <= STALE_SECONDS

    def _start_reading(self) -> asyncio.Task[None]:
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(_quietly)
        return self._reading

    async def _read(self) -> None:
        began = monotonic()
        keys = await queries.usable_keys(self._rows)
        sessions = await queries.live_sessions(self._rows)
        self._keys = {row["id"]: _key(row, began) for row in keys}
        self._sessions = {bytes(row["hash"]): _session(row, began) for row in sessions}
        self._read_at = began


def _key(row: Any, began: float) -> Caller:
    former = frozenset(Grant(role) for role in FORMER_ROLES[row["role"]])
    grants = _grants(row) if row["was_granted"] else former
    until = began + row["seconds"]
    return Caller(row["id"], row["name"], grants, row["hash"], until, signs_for_others=row["signs_for_others"])


def _session(row: Any, began: float) -> Caller:
    fresh = began + row["fresh_seconds"]
    session = SignedIn(row["number"], row["person_id"], fresh, row["shortcuts"], row["how"])
    until = began + row["seconds"]
    return Caller(f"person:{row['person_id']}", row["name"], _grants(row), row["hash"], until, session=session)


def _grants(row: Any) -> frozenset[Grant]:
    # A role that a later version knows gives nothing here, and keeps nobody else out.
    return frozenset(Grant(Role(role), cluster) for role, cluster in row["grants"] if role in _ROLES)


def _quietly(task: asyncio.Task[None]) -> None:
    # Whoever waits for it is told; a refresh in the background that fails is tried again by the next request.
    with contextlib.suppress(DatabaseUnavailableError, asyncio.CancelledError):
        task.result()
