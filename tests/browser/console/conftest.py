"""The console of a gateway with members, for a real browser."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from schemas.billing import InvoiceChanged
from schemas.communications import ConsentChanged, MailingChanged
from schemas.events import EventChanged, RegistrationChanged
from services.gateway.console.session import COOKIE
from tests.browser.axe import axe_source
from tests.integration.gateway.conftest import database_url, rested_limits
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, GatewayUnderTest, open_gateway
from tests.support.browser import Browser, Tab
from tests.support.builders import a_consent, a_mailing, a_member, a_registration, an_event, an_invoice
from tests.support.emptying import EMPTY
from tests.support.http_server import served

__all__ = ["database_url", "rested_limits"]

SIREN = "732829320"
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)> \u202eabc ' + "trèslongnomsansespace" * 40

OpenAs = Callable[..., Awaitable[Tab]]


class Console:
    """``await console.tab("staff")``: somebody of this role who is signed in."""

    def __init__(self, gateway: GatewayUnderTest, browser: Browser, url: str) -> None:
        self.gateway, self.url = gateway, url
        self._browser = browser

    async def tab(self, role: str = "staff", path: str = "/console", *, script: bool = True, dark: bool = False) -> Tab:
        """A page of the console, as it is opened."""
        tab = await self._browser.tab()
        cookie = {"name": COOKIE, "value": await self.gateway.session(role), "url": self.url, "path": "/"}
        await tab.ask("Network.setCookie", secure=True, httpOnly=True, **cookie)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await tab.ask("Emulation.setEmulatedMedia", features=[scheme])
        await tab.ask("Emulation.setScriptExecutionDisabled", value=not script)
        await tab.width(1440, 900)
        await tab.open(self.url + path)
        return tab


@pytest.fixture(scope="module")
def axe() -> str:
    return axe_source()


@pytest.fixture
async def console(database_url: str, browser: Browser) -> AsyncIterator[Console]:
    async with open_console(database_url, browser) as console:
        await with_members(console.gateway)
        yield console


@asynccontextmanager
async def open_console(database_url: str, browser: Browser) -> AsyncGenerator[Console]:
    """The console of a gateway without any member."""
    async with open_gateway(database_url) as gateway:
        await gateway.sql(EMPTY)
        async with served(gateway.app) as url:
            yield Console(gateway, browser, url)


async def with_members(gateway: GatewayUnderTest) -> None:
    """Sixty members, and among them one of two clusters with a story, and one that means harm."""
    names = [a_member(record_id=f"M{number}", name=f"Membre {number:03d}") for number in range(58)]
    await gateway.feed_together(NUMELINK, names)
    theirs = {"name": "FORGES DU GIER", "siren": SIREN, "street": "33 rue des Tisserands", "modified_on": "2025-01-07"}
    ours = {"name": "Forges du Gier", "siren": SIREN, "street": "110 allée des Platanes", "modified_on": "2025-06-18"}
    harm = {
        "name": HOSTILE,
        "brand": HOSTILE,
        "city": HOSTILE[:80],
        "street": HOSTILE,
        "website": "javascript:alert(1)",
    }
    paid_elsewhere = a_member(record_id="B-1", **theirs, paid_until="2026-12-31")
    await gateway.feed(NUMELINK, paid_elsewhere, a_member(record_id="X", **harm, email=HOSTILE))
    await gateway.feed(CLUSTR, a_member(record_id="7", **ours, status="active", paid_until="2026-12-31", vat="FR12"))
    invoice = an_invoice(record_id="7", invoice_id="F-1", number="FA-1", gross=Decimal("360.00"))
    announced = (
        (InvoiceChanged, invoice),
        (EventChanged, an_event(event_id="E-1")),
        (RegistrationChanged, a_registration(record_id="7", event_id="E-1", status="attended")),
        (ConsentChanged, a_consent(record_id="7", status="granted")),
        (MailingChanged, a_mailing(recipients=("7",))),
    )
    await gateway.feed(
        CLUSTR, *(kind.model_validate(fact.model_dump() | {"cluster": CLUSTR}) for kind, fact in announced)
    )
