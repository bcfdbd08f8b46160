"""Which API keys are usable: all ones in memory, read again every few seconds."""

import asyncio
import contextlib
import hmac
from dataclasses import dataclass
from time import monotonic

from fastapi import Request
from fastapi.security import APIKeyHeader, HTTPBearer

from services.gateway.auth import queries
from services.gateway.auth.keys import Role, hash_secret
from services.gateway.problems import ProblemError
from services.membership.connections import DatabaseUnavailableError
from services.membership.rows import Rows

REFRESH_SECONDS = 4.0
STALE_SECONDS = 9.0
"""A key that is revoked stops working within this time."""
LOOK_AGAIN_SECONDS = 0.1

CALLER = "traboule.caller"
"""Key of the ASGI scope under which the console says who asks. No header can put anything there."""

_RANKS = {Role.READER: 0, Role.STAFF: 1, Role.ADMIN: 2}
_NEEDED = {"read-members": Role.READER, "move-systems": Role.ADMIN, "give-access": Role.ADMIN}
"""The least role that has a right; of all others it is staff."""
_ROLES = frozenset(Role)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever holds a key."""

    key_id: str
    name: str
    role: Role
    hash: bytes
    until: float
    """By this process's monotonic clock: what day it is the database tells, so that no wrong clock lets anybody in."""

    def may(self, right: str) -> bool:
        """Whether this role includes another, or has a right."""
        needed = Role(right) if right in _ROLES else _NEEDED.get(right, Role.STAFF)
        return _RANKS[self.role] >= _RANKS[needed]


class ApiKeyCache:
    """All usable keys. They are few, so one query reads them all, and no request waits for it but the first."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._callers: dict[str, Caller] = {}
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    def known(self, key: str) -> Caller | None:
        """Who holds a key, as far as memory tells; never waits."""
        age = monotonic() - self._read_at
        if age > REFRESH_SECONDS:
            self._start_reading()
            if age > STALE_SECONDS:
                return None
        prefix, _, rest = key.partition("_")
        key_id, _, secret = rest.partition("_")
        caller = self._callers.get(key_id)
        if prefix != "trb" or caller is None or not hmac.compare_digest(caller.hash, hash_secret(secret)):
            return None
        return caller if caller.until > monotonic() else None

    async def find(self, key: str) -> Caller | None:
        """Who holds a key; a new one may not be in memory yet. Raises DatabaseUnavailableError."""
        caller = self.known(key)
        if caller is None and key.startswith("trb_"):
            # What somebody else asked for before us may have been read before our key was made.
            await self._read_again(since=monotonic())
            caller = self.known(key)
        return caller

    async def _read_again(self, since: float) -> None:
        while self._read_at < since:
            # Wrong keys must not become as many queries.
            await asyncio.sleep(max(0.0, self._read_at + LOOK_AGAIN_SECONDS - monotonic()))
            if self._read_at < since:
                await asyncio.shield(self._start_reading())

    def _start_reading(self) -> asyncio.Task[None]:
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(_quietly)
        return self._reading

    async def _read(self) -> None:
        began = monotonic()
        rows = await queries.usable_keys(self._rows)
        self._callers = {
            row["id"]: Caller(row["id"], row["name"], Role(row["role"]), row["hash"], began + row["seconds"])
            for row in rows
        }
        self._read_at = began


def _quietly(task: asyncio.Task[None]) -> None:
    # Whoever waits for it is told; a refresh in the background that fails is tried again by the next request.
    with contextlib.suppress(DatabaseUnavailableError, asyncio.CancelledError):
        task.result()


BEARER = HTTPBearer(auto_error=False, description="`Authorization: Bearer trb_…`", scheme_name="Bearer key")
HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, scheme_name="API key")


async def authorised(request: Request, keyring: ApiKeyCache, role: Role) -> Caller:
    """Whoever sent the request. Raises ProblemError unless the key is usable, and its role at least this one."""
    person = request.scope.get(CALLER)
    if isinstance(person, Caller):
        return _with_role(person, role)
    key = presented(request.headers.get("authorization"), request.headers.get("x-api-key"))
    if key is None:
        raise ProblemError("key-missing", headers={"www-authenticate": 'Bearer realm="Traboule"'})
    result = await keyring.find(key)
    if result is None:
        challenge = 'Bearer realm="Traboule", error="invalid_token"'
        raise ProblemError("invalid-key", headers={"www-authenticate": challenge})
    return _with_role(result, role)


def _with_role(caller: Caller, role: Role) -> Caller:
    if not caller.may(role):
        raise ProblemError("role-too-low", role=caller.role.value, needed=role.value)
    return caller


def presented(authorization: str | None, api_key: str | None) -> str | None:
    """The key in a request's headers."""
    if authorization is not None:
        scheme, _, key = authorization.partition(" ")
        return key.strip() if scheme.lower() == "bearer" and key.strip() else None
    return api_key or None
