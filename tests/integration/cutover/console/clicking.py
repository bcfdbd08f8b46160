"""Somebody who uses pages of the console: follows links, and sends forms as they stand in a page."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from html import unescape
from typing import Any

import httpx2

from services.gateway.auth.caller import Grant
from services.gateway.auth.people import create_person
from services.gateway.auth.sessions import Browser, create_session
from services.gateway.console.session import COOKIE
from shared.persistence.database import create_engine
from tests.integration.cutover.staff import BILLING, Staff
from tests.support.waiting import eventually

SYSTEM = f"/console/bascule/{BILLING}"
A_BROWSER = Browser("link", "Chrome, Linux", "127.0.0.0/24")
PART = {"hx-request": "true", "hx-request-type": "partial"}


def text_of(html: str) -> str:
    """What a page says, on one line, with plain spaces."""
    words = re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style).*?</\1>", "", html, flags=re.DOTALL))
    return re.sub(r"\s+", " ", unescape(words))


class Clicking:
    """``await console.get("/console/bascule")``, with a session of a role."""

    def __init__(self, staff: Staff, client: httpx2.AsyncClient) -> None:
        self.staff, self.client = staff, client
        self.sessions: dict[str, str] = {}

    @classmethod
    @asynccontextmanager
    async def of(cls, staff: Staff) -> AsyncGenerator["Clicking"]:
        """In front of the same gateway, by the name that browsers on this machine use."""
        transport = staff.client._transport  # the app itself
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield cls(staff, client)

    async def session(self, role: str, *, minutes_ago: int = 0) -> str:
        """The cookie of a new person of this role, ``staff`` or ``staff@numelink``, who signed in so long ago."""
        engine = create_engine(
            self.staff.stack.env["TRABOULE_MEMBERSHIP_DATABASE_URL"], application="test", pool_size=1
        )
        async with engine.begin() as connection:
            person = await create_person(connection, f"a {role}", None, [Grant.parse(role)], by="a test")
            token, _ = await create_session(connection, person, A_BROWSER, None)
            await connection.exec_driver_sql(
                "update sessions set signed_in_at = signed_in_at - make_interval(mins => $1) where person_id = $2",
                (minutes_ago, person),
            )
        await engine.dispose()
        self.sessions[role] = token
        return token

    async def get(self, path: str, role: str = "admin", *, part: bool = False) -> Any:
        """One page, or a part as htmx asks for it."""
        return await self.send("GET", path, role, PART if part else {})

    async def post(self, path: str, role: str = "admin", **fields: str) -> Any:
        """One form. The names of fields have underscores for hyphens."""
        sent = {name if name.startswith("_") else name.replace("_", "-"): value for name, value in fields.items()}
        return await self.send("POST", path, role, {}, data=sent)

    async def text(self, path: str, role: str = "admin") -> str:
        """What a page says."""
        answer = await self.get(path, role)
        assert answer.status_code == 200, answer.text
        return text_of(answer.text)

    async def followed(self, answer: Any) -> str:
        """What the page of a request says once it is over."""
        assert answer.status_code == 303, text_of(answer.text)
        where = answer.headers["location"]
        assert where.startswith("/console/demandes/")

        async def over() -> str:
            page = await self.get(where)
            return "" if "hx-trigger" in page.text else text_of(page.text)

        return await eventually(over)

    async def send(self, method: str, path: str, role: str, headers: dict[str, str], **request: Any) -> Any:
        """One request of somebody of this role; ``request`` is the client's."""
        token = self.sessions.get(role) or await self.session(role)
        sent = {"sec-fetch-site": "same-origin", "cookie": f"{COOKIE}={token}"} | headers
        return await self.client.request(method, path, headers=sent, **request)
