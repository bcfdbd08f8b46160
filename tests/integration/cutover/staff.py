"""Staff who ask at the HTTP side of a membership service that runs in the test's process."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx2

from shared.persistence.database import create_engine
from tests.support.builders import an_invoice
from tests.support.in_process import OwnService
from tests.support.keys import create_key
from tests.support.waiting import eventually

BILLING, MEMBERSHIP = "numelink/billing", "numelink/membership"
OVERRULED = ["parity", "rehearsal", "backup"]
OWN = {BILLING: ["grid", "members"]}
"""Conditions of the service alone."""


@dataclass
class Staff:
    """Asks at the door of a membership service that runs in this process; billing runs beside it, or does not."""

    stack: OwnService
    billing: OwnService
    client: httpx2.AsyncClient
    keys: dict[str, str] = field(default_factory=dict[str, str])
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def ask(self, method: str, path: str, body: Any = None, *, role: str = "admin", **headers: str) -> Any:
        sent = {"authorization": f"Bearer {await self._key(role)}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.request(method, path, json=body, headers=sent)

    async def get(self, path: str, **options: Any) -> Any:
        return await self.ask("GET", path, **options)

    async def move(self, which: str, system: str = BILLING, *, by: str = "zoé", **body: Any) -> Any:
        headers = {"idempotency_key": body.pop("key")} if "key" in body else {}
        asked = {"move": which, "reason": "a test", "author": by} | body
        return await self.ask("POST", f"/cutover/{system}/moves", asked, **headers)

    async def moved(self, *moves: str, system: str = BILLING) -> None:
        """Wherever it must stand for a test."""
        for move in moves:
            overrule: dict[str, Any] = (
                {"overrule": [*OVERRULED, "writers", *OWN.get(system, ())]} if move == "switch" else {}
            )
            answer = await self.move(move, system, **overrule)
            assert answer.status_code == 200, answer.text

    async def late(self, **fields: Any) -> int:
        """The number of a message that billing's former system sent too late."""
        message_id = await self.stack.publish_as("numelink.billing", an_invoice(**fields))

        async def waits() -> list[int]:
            return await self.billing.column("select id from quarantine where message_id = $1", message_id)

        return (await eventually(waits))[0]

    async def _key(self, role: str) -> str:
        async with self.turn:
            return await self._key_of(role)

    async def _key_of(self, role: str) -> str:
        if role not in self.keys:
            engine = create_engine(self.stack.env["TRABOULE_MEMBERSHIP_DATABASE_URL"], application="test", pool_size=1)
            async with engine.begin() as connection:
                self.keys[role] = await create_key(connection, f"a {role}", role, 100)
            await engine.dispose()
        return self.keys[role]


def problem(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["type"].removeprefix("urn:traboule:problem:")
